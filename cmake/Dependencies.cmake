# Outside libraries. Each is a leaf that a build can leave out; the command that misses it says so.
#
# sf_link_flags(word...) notes what a link line of the static library needs for a dependency (package files).
find_package(PkgConfig REQUIRED)

define_property(GLOBAL PROPERTY SAMFLOW_LINK_FLAGS BRIEF_DOCS "link words" FULL_DOCS "link words of dependencies")
function(sf_link_flags)
  set_property(GLOBAL APPEND PROPERTY SAMFLOW_LINK_FLAGS ${ARGN})
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads)
set(SAMFLOW_THREADS)
if(Threads_FOUND)
  set(SAMFLOW_THREADS Threads::Threads)
  sf_link_flags(-pthread)
endif()

option(SAMFLOW_WITH_FILES "Data sets from files (CSV, svmlight, IDX), by zlib and libcsv" ON)
if(SAMFLOW_WITH_FILES)
  find_package(ZLIB REQUIRED)
  # libcsv comes without a description for CMake or pkg-config
  find_path(CSV_INCLUDE_DIR csv.h REQUIRED)
  find_library(CSV_LIBRARY csv REQUIRED)
  add_library(CSV::CSV UNKNOWN IMPORTED)
  set_target_properties(CSV::CSV PROPERTIES IMPORTED_LOCATION ${CSV_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${CSV_INCLUDE_DIR})
  sf_link_flags(-lz -lcsv)
endif()

option(SAMFLOW_WITH_CURL "Download of public data sets, by libcurl and libcrypto (SHA-256)" ON)
if(SAMFLOW_WITH_CURL)
  pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
  pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
  sf_link_flags(${CURL_LDFLAGS} ${CRYPTO_LDFLAGS})
endif()

pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8) # identities of settings
sf_link_flags(${FYAML_LDFLAGS} ${XXHASH_LDFLAGS})

option(SAMFLOW_WITH_SUNDIALS "Flows, integrated by SUNDIALS CVODE" ON)
if(SAMFLOW_WITH_SUNDIALS)
  find_package(SUNDIALS REQUIRED COMPONENTS cvode nvecserial)
  sf_link_flags(-lsundials_cvode -lsundials_nvecserial)
endif()

option(SAMFLOW_WITH_CLP "l1-max-margin classifiers, by the linear programmes of Clp" ON)
if(SAMFLOW_WITH_CLP)
  pkg_check_modules(CLP REQUIRED IMPORTED_TARGET clp)
  sf_link_flags(${CLP_LDFLAGS})
endif()

option(SAMFLOW_WITH_HDF5 "HDF5 output" ON)
if(SAMFLOW_WITH_HDF5)
  find_package(HDF5 REQUIRED COMPONENTS C HL)
  add_library(samflow_hdf5 INTERFACE)
  target_include_directories(samflow_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
  target_link_libraries(samflow_hdf5 INTERFACE ${HDF5_C_HL_LIBRARIES} ${HDF5_C_LIBRARIES})
  sf_link_flags(${HDF5_C_HL_LIBRARIES} ${HDF5_C_LIBRARIES})
endif()

option(SAMFLOW_WITH_SQLITE "Sweeps, stored by SQLite" ON)
if(SAMFLOW_WITH_SQLITE)
  pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.35)
  sf_link_flags(${SQLITE_LDFLAGS})
endif()

option(SAMFLOW_WITH_DNNL "Fully connected and convolutional networks, by oneDNN" ON)
if(SAMFLOW_WITH_DNNL)
  # no CMake package: that of Debian asks for OpenCL's headers
  find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.h REQUIRED)
  find_library(DNNL_LIBRARY dnnl REQUIRED)
  file(STRINGS ${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h dnnl_version REGEX "^#define DNNL_VERSION_(MAJOR|MINOR) ")
  string(REGEX REPLACE "[^0-9;]" "" dnnl_version "${dnnl_version}")
  string(REPLACE ";" "." dnnl_version "${dnnl_version}")
  if(dnnl_version VERSION_LESS 2.6)
    message(FATAL_ERROR "oneDNN ${dnnl_version} in ${DNNL_INCLUDE_DIR} is too old: 2.6 or later (2 or 3) is needed (or SAMFLOW_WITH_DNNL=OFF)")
  endif()
  add_library(samflow_dnnl INTERFACE)
  target_include_directories(samflow_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
  target_link_libraries(samflow_dnnl INTERFACE ${DNNL_LIBRARY})
  sf_link_flags(-ldnnl)
  # A oneDNN that runs on OpenMP is told through it to stay in the calling thread, so by the library that it uses itself.
  file(STRINGS ${DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h openmp
    REGEX "^#define DNNL_CPU_THREADING_RUNTIME +DNNL_RUNTIME_OMP")
  if(openmp)
    find_library(OPENMP_RUNTIME NAMES gomp omp iomp5 HINTS ${CMAKE_C_IMPLICIT_LINK_DIRECTORIES} REQUIRED)
    target_link_libraries(samflow_dnnl INTERFACE ${OPENMP_RUNTIME})
    get_filename_component(openmp_name ${OPENMP_RUNTIME} NAME_WE)
    string(REGEX REPLACE "^lib" "-l" openmp_name ${openmp_name})
    sf_link_flags(${openmp_name})
  endif()
endif()

option(SAMFLOW_WITH_MPI "samflow-mpi: sweeps over several machines" OFF)
if(SAMFLOW_WITH_MPI)
  find_package(MPI REQUIRED COMPONENTS C)
endif()
