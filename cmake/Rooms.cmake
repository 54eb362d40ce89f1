# sf_room(NAME SOURCES file... [LIBRARIES target...] [DEFINITIONS ...]): an object library of one room, and a part
# of the samflow library.
define_property(GLOBAL PROPERTY SAMFLOW_ROOMS BRIEF_DOCS "rooms of the library" FULL_DOCS "rooms of the library")
define_property(GLOBAL PROPERTY SAMFLOW_LIBRARIES BRIEF_DOCS "what they link" FULL_DOCS "what they link")

function(sf_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LIBRARIES;DEFINITIONS" ${ARGN})
  add_library(samflow_${name} OBJECT ${ROOM_SOURCES})
  target_include_directories(samflow_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(samflow_${name} PRIVATE SAMFLOW_BUILDING ${ROOM_DEFINITIONS})
  target_link_libraries(samflow_${name} PRIVATE samflow_flags ${ROOM_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY SAMFLOW_ROOMS ${name})
  set_property(GLOBAL APPEND PROPERTY SAMFLOW_LIBRARIES ${ROOM_LIBRARIES})
endfunction()

# The libraries to be made: shared and static where the system knows both.
set(SAMFLOW_KINDS static)
get_property(shared GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS)
if(shared)
  list(PREPEND SAMFLOW_KINDS shared)
endif()

# The shared and the static library, from the objects of all rooms. Whoever links the static one links the outside
# libraries: as targets inside this build, as plain words (sf_link_flags) once it is installed.
function(sf_libraries)
  get_property(rooms GLOBAL PROPERTY SAMFLOW_ROOMS)
  get_property(libraries GLOBAL PROPERTY SAMFLOW_LIBRARIES)
  list(REMOVE_DUPLICATES libraries)
  set(objects)
  foreach(room IN LISTS rooms)
    list(APPEND objects $<TARGET_OBJECTS:samflow_${room}>)
  endforeach()
  foreach(kind IN LISTS SAMFLOW_KINDS)
    string(TOUPPER ${kind} KIND)
    add_library(samflow_${kind} ${KIND} ${objects})
    add_library(samflow::samflow_${kind} ALIAS samflow_${kind})
    set_target_properties(samflow_${kind} PROPERTIES OUTPUT_NAME samflow EXPORT_NAME samflow_${kind}
      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    target_include_directories(samflow_${kind} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
  if(TARGET samflow_shared)
    target_link_libraries(samflow_shared PRIVATE samflow_flags ${libraries} m)
  endif()
  get_property(flags GLOBAL PROPERTY SAMFLOW_LINK_FLAGS)
  target_link_libraries(samflow_static INTERFACE "$<BUILD_INTERFACE:${libraries};m>" "$<INSTALL_INTERFACE:${flags};-lm>")
  target_compile_definitions(samflow_static INTERFACE SAMFLOW_STATIC)
endfunction()

# sf_kernels(TARGET STEM): adds STEM_avx2.c and STEM_avx512.c, or STEM_neon.c, of the current folder to the target, each
# compiled for its instruction set alone; which one runs is chosen at run time. Elsewhere only the plain code is built.
function(sf_kernels target stem)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    target_sources(${target} PRIVATE ${stem}_avx2.c ${stem}_avx512.c)
    set_source_files_properties(${stem}_avx2.c PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma")
    set_source_files_properties(${stem}_avx512.c PROPERTIES
      COMPILE_OPTIONS "-mavx2;-mfma;-mavx512f;-mavx512dq;-mavx512vl;-mprefer-vector-width=512")
    target_compile_definitions(${target} PRIVATE SF_HAVE_X86_KERNELS)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    target_sources(${target} PRIVATE ${stem}_neon.c)
    target_compile_definitions(${target} PRIVATE SF_HAVE_NEON_KERNELS)
  endif()
endfunction()
