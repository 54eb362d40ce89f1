# Outside libraries. Each is a leaf that a build can leave out; the command that misses it says so.
find_package(PkgConfig REQUIRED)

find_package(ZLIB REQUIRED)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)

option(SAMFLOW_WITH_SUNDIALS "Flows, integrated by SUNDIALS CVODE" ON)
if(SAMFLOW_WITH_SUNDIALS)
  find_package(SUNDIALS REQUIRED COMPONENTS cvode nvecserial)
endif()

option(SAMFLOW_WITH_CLP "l1-max-margin classifiers, by the linear programmes of Clp" ON)
if(SAMFLOW_WITH_CLP)
  pkg_check_modules(CLP REQUIRED IMPORTED_TARGET clp)
endif()

option(SAMFLOW_WITH_HDF5 "HDF5 output" ON)
if(SAMFLOW_WITH_HDF5)
  find_package(HDF5 REQUIRED COMPONENTS C)
endif()
