# What is installed, in components as Debian splits libraries: `library` and `lab` (what programs load), `development` and
# `labdevelopment` (headers, static library, CMake package, pkg-config file of each) and `program` (program, manual page,
# documents); and the packages made of them (script/package).
include(CMakePackageConfigHelpers)

option(SAMFLOW_PROGRAM_SHARED "The program loads the libraries, instead of holding them" OFF)
if(SAMFLOW_PROGRAM_SHARED)
  set_property(TARGET samflow_program PROPERTY INTERFACE_LINK_LIBRARIES "samflow_lab_shared;m")
endif()
if(TARGET samflow)
  install(TARGETS samflow RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()

file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" SAMFLOW_PREFIX_FROM_PC "${prefix_from_pc}")

# sf_install(TARGET NAME PART LIBRARY DEVELOPMENT HEADER...): a library, its exports as NAME-shared.cmake and NAME-static.cmake, its
# NAME.pc with the outside libraries as words of a link line, for those who link the static one, and its headers.
function(sf_install target name part library development)
  foreach(kind IN LISTS SAMFLOW_KINDS)
    install(TARGETS ${target}_${kind} EXPORT ${target}_${kind}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${library} NAMELINK_COMPONENT ${development}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${development})
    install(EXPORT ${target}_${kind} FILE ${name}-${kind}.cmake NAMESPACE samflow::
      DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow COMPONENT ${development})
  endforeach()
  string(TOUPPER ${part} PART)
  get_property(flags GLOBAL PROPERTY SAMFLOW_LINK_FLAGS_${PART})
  list(JOIN flags " " SAMFLOW_LINK_FLAGS)
  configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${development})
  list(TRANSFORM ARGN PREPEND include/samflow/)
  install(FILES ${ARGN} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/samflow COMPONENT ${development})
endfunction()
sf_install(samflow samflow core library development
  export.h base.h batch.h data.h flow.h images.h json.h margin.h network.h sam.h samflow.h theory.h verdict.h)
if(TARGET samflow_lab_static)
  sf_install(samflow_lab samflow-lab lab lab labdevelopment
    experiment.h fetch.h files.h lab.h nn.h settings.h sweep.h training.h)
endif()

configure_package_config_file(cmake/samflowConfig.cmake.in samflowConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow)
write_basic_package_version_file(samflowConfigVersion.cmake COMPATIBILITY ${SAMFLOW_COMPATIBILITY})
install(FILES ${PROJECT_BINARY_DIR}/samflowConfig.cmake ${PROJECT_BINARY_DIR}/samflowConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow COMPONENT development)

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
set(CPACK_COMPONENTS_ALL library lab development labdevelopment program)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE OFF)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})

# The libraries first: shlibs says to the other packages what they load.
set(release "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(soname libsamflow${SAMFLOW_ABI})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${soname})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "shared library")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(lab_soname libsamflow-lab${PROJECT_VERSION})
set(CPACK_DEBIAN_LAB_PACKAGE_NAME ${lab_soname})
set(CPACK_DEBIAN_LAB_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LAB_DESCRIPTION "shared library of the laboratory: files, experiments, sweeps")
set(CPACK_DEBIAN_LAB_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LAB_PACKAGE_DEPENDS "${soname} ${release}")

# only who links a static library needs what is suggested
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsamflow-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "headers, static library, CMake and pkg-config files")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${soname} ${release}")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libsundials-dev, coinor-libclp-dev")

set(CPACK_DEBIAN_LABDEVELOPMENT_PACKAGE_NAME libsamflow-lab-dev)
set(CPACK_DEBIAN_LABDEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_LABDEVELOPMENT_DESCRIPTION "headers, static library, CMake and pkg-config files of the laboratory")
set(CPACK_DEBIAN_LABDEVELOPMENT_PACKAGE_DEPENDS "${lab_soname} ${release}, libsamflow-dev ${release}")
set(CPACK_DEBIAN_LABDEVELOPMENT_PACKAGE_SUGGESTS "zlib1g-dev, libcsv-dev, libbz2-dev, liblzma-dev, libcurl4-openssl-dev, libssl-dev, libfyaml-dev, \
libhdf5-dev, libsqlite3-dev, libxxhash-dev, libdnnl-dev")

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME samflow)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "command-line laboratory")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
if(SAMFLOW_PROGRAM_SHARED)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "${lab_soname} ${release}, ${soname} ${release}")
endif()
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot, ca-certificates")

option(SAMFLOW_DEBIAN "The files that Debian wants in every package" OFF)
if(SAMFLOW_DEBIAN)
  foreach(component library lab development labdevelopment program)
    string(TOUPPER ${component} COMPONENT)
    install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME}
      RENAME copyright COMPONENT ${component})
  endforeach()
endif()
include(CPack)
