# What is installed, in three components as Debian splits a library: `library` (what programs load), `development` (headers,
# static library, CMake package, pkg-config file) and `program` (program, manual page, documents); and the packages made
# of them (script/package). Another library of this project adds its target to the first loop.
include(CMakePackageConfigHelpers)

option(SAMFLOW_PROGRAM_SHARED "The program loads libsamflow, instead of holding it" OFF)
if(SAMFLOW_PROGRAM_SHARED)
  set_property(TARGET samflow PROPERTY LINK_LIBRARIES samflow_flags samflow_shared)
endif()
if(TARGET samflow)
  install(TARGETS samflow RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
foreach(kind IN LISTS SAMFLOW_KINDS)
  install(TARGETS samflow_${kind} EXPORT samflow_${kind}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
  install(EXPORT samflow_${kind} FILE samflow-${kind}.cmake NAMESPACE samflow::
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow COMPONENT development)
endforeach()
install(DIRECTORY include/samflow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/samflowConfig.cmake.in samflowConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow)
write_basic_package_version_file(samflowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/samflowConfig.cmake ${PROJECT_BINARY_DIR}/samflowConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow COMPONENT development)

# The outside libraries as words of a link line, for those who link the static library.
get_property(flags GLOBAL PROPERTY SAMFLOW_LINK_FLAGS)
list(JOIN flags " " SAMFLOW_LINK_FLAGS)
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" SAMFLOW_PREFIX_FROM_PC "${prefix_from_pc}")
configure_file(cmake/samflow.pc.in samflow.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/samflow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# The documents lie to each other as they do in the source tree, so their links hold.
install(FILES README.md LICENSE CHANGELOG.md CITATION.cff CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY doc DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program
  FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
install(FILES data/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/data COMPONENT program) # source and licence of the digits

# --- packages -----------------------------------------------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME samflow)
set(CPACK_PACKAGE_VENDOR "the samflow authors")
set(CPACK_PACKAGE_CONTACT "the samflow authors <samflow@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL library development program)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE OFF)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})

# The library first: shlibs says to the other packages what they load.
set(soname libsamflow${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${soname})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "shared library")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsamflow-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "headers, static library, CMake and pkg-config files")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${soname} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
# only who links the static library needs these
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "zlib1g-dev, libcsv-dev, libcurl4-openssl-dev, libssl-dev, libfyaml-dev, \
libsundials-dev, coinor-libclp-dev, libhdf5-dev, libsqlite3-dev, libxxhash-dev, libdnnl-dev")

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME samflow)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "command-line laboratory")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
if(SAMFLOW_PROGRAM_SHARED)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "${soname} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
endif()
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot, ca-certificates")

option(SAMFLOW_DEBIAN "The files that Debian wants in every package" OFF)
if(SAMFLOW_DEBIAN)
  foreach(component library development program)
    string(TOUPPER ${component} COMPONENT)
    install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME}
      RENAME copyright COMPONENT ${component})
  endforeach()
endif()
include(CPack)
