# The installed package: program, libraries, headers, CMake package, pkg-config file, manual page, documents.
include(CMakePackageConfigHelpers)

install(TARGETS samflow RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(kind shared static)
  install(TARGETS samflow_${kind} EXPORT samflow_${kind}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT samflow_${kind} FILE samflow-${kind}.cmake NAMESPACE samflow::
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow)
endforeach()
install(DIRECTORY include/samflow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/samflowConfig.cmake.in samflowConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow)
write_basic_package_version_file(samflowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/samflowConfig.cmake ${PROJECT_BINARY_DIR}/samflowConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/samflow)

# The outside libraries as words of a link line, for those who link the static library.
get_property(flags GLOBAL PROPERTY SAMFLOW_LINK_FLAGS)
list(JOIN flags " " SAMFLOW_LINK_FLAGS)
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" SAMFLOW_PREFIX_FROM_PC "${prefix_from_pc}")
configure_file(cmake/samflow.pc.in samflow.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/samflow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_file(doc/samflow.1.in samflow.1 @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/samflow.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES README.md LICENSE CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES data/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/data) # source and licence of the digits in the program
