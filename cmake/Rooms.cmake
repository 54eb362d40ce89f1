# What the rooms become (SAMFLOW_PART when they are added): `core` is libsamflow, `lab` is libsamflow-lab on top of it, and
# `program` is the part of the program that its tests use too, in no library that is installed.
foreach(part core lab program)
  string(TOUPPER ${part} PART)
  foreach(property ROOMS LIBRARIES LINK_FLAGS)
    define_property(GLOBAL PROPERTY SAMFLOW_${property}_${PART} BRIEF_DOCS "of ${part}" FULL_DOCS "of ${part}")
  endforeach()
endforeach()

# sf_room(NAME SOURCES file... [LIBRARIES target...] [DEFINITIONS ...]): an object library of one room of the part.
function(sf_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LIBRARIES;DEFINITIONS" ${ARGN})
  add_library(samflow_${name} OBJECT ${ROOM_SOURCES})
  target_include_directories(samflow_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(samflow_${name} PRIVATE SAMFLOW_BUILDING ${ROOM_DEFINITIONS})
  target_link_libraries(samflow_${name} PRIVATE samflow_flags ${ROOM_LIBRARIES})
  string(TOUPPER ${SAMFLOW_PART} PART)
  set_property(GLOBAL APPEND PROPERTY SAMFLOW_ROOMS_${PART} ${name})
  set_property(GLOBAL APPEND PROPERTY SAMFLOW_LIBRARIES_${PART} ${ROOM_LIBRARIES})
endfunction()

# The libraries to be made: shared and static where the system knows both.
set(SAMFLOW_KINDS static)
get_property(shared GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS)
if(shared)
  list(PREPEND SAMFLOW_KINDS shared)
endif()

# sf_objects(PART OUT): the objects of all rooms of a part. sf_outside(PART OUT): the targets of the outside libraries that it uses.
function(sf_objects part out)
  string(TOUPPER ${part} PART)
  get_property(rooms GLOBAL PROPERTY SAMFLOW_ROOMS_${PART})
  set(objects)
  foreach(room IN LISTS rooms)
    list(APPEND objects $<TARGET_OBJECTS:samflow_${room}>)
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()
function(sf_outside part out)
  string(TOUPPER ${part} PART)
  get_property(libraries GLOBAL PROPERTY SAMFLOW_LIBRARIES_${PART})
  list(REMOVE_DUPLICATES libraries)
  set(${out} ${libraries} PARENT_SCOPE)
endfunction()

# sf_library(PART TARGET FILE SOVERSION [BELOW]): the shared and the static library TARGET_shared and TARGET_static of a part,
# on those of BELOW. Whoever links the static one links the outside libraries: as targets inside this build, as plain
# words (sf_link_flags) once it is installed.
function(sf_library part target file soversion)
  sf_objects(${part} objects)
  sf_outside(${part} libraries)
  foreach(kind IN LISTS SAMFLOW_KINDS)
    string(TOUPPER ${kind} KIND)
    add_library(${target}_${kind} ${KIND} ${objects})
    add_library(samflow::${target}_${kind} ALIAS ${target}_${kind})
    set_target_properties(${target}_${kind} PROPERTIES OUTPUT_NAME ${file} VERSION ${PROJECT_VERSION} SOVERSION ${soversion})
    target_include_directories(${target}_${kind} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    if(ARGC GREATER 4)
      target_link_libraries(${target}_${kind} PUBLIC ${ARGV4}_${kind})
    endif()
  endforeach()
  if(TARGET ${target}_shared)
    target_link_libraries(${target}_shared PRIVATE samflow_flags ${libraries} m)
    include(CheckLinkerFlag)
    check_linker_flag(C LINKER:--no-undefined SAMFLOW_HAS_NO_UNDEFINED)
    if(SAMFLOW_HAS_NO_UNDEFINED AND NOT SAMFLOW_SANITIZE)
      target_link_options(${target}_shared PRIVATE LINKER:--no-undefined)
    endif()
  endif()
  string(TOUPPER ${part} PART)
  get_property(flags GLOBAL PROPERTY SAMFLOW_LINK_FLAGS_${PART})
  target_link_libraries(${target}_static INTERFACE "$<BUILD_INTERFACE:${libraries};m>" "$<INSTALL_INTERFACE:${flags};-lm>")
  target_compile_definitions(${target}_static INTERFACE SAMFLOW_STATIC)
endfunction()

# sf_kernels(TARGET STEM): adds STEM_avx2.c and STEM_avx512.c, or STEM_neon.c, of the current folder to the target, each
# compiled for its instruction set alone; which one runs is chosen at run time. Elsewhere only the plain code is built.
function(sf_kernels target stem)
  set(plain)
  if(SAMFLOW_FUZZ) # no parsers, and clang takes ten minutes to instrument them
    set(plain -fno-sanitize=all)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    target_sources(${target} PRIVATE ${stem}_avx2.c ${stem}_avx512.c)
    set_source_files_properties(${stem}_avx2.c PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;${plain}")
    set_source_files_properties(${stem}_avx512.c PROPERTIES
      COMPILE_OPTIONS "-mavx2;-mfma;-mavx512f;-mavx512dq;-mavx512vl;-mprefer-vector-width=512;${plain}")
    target_compile_definitions(${target} PRIVATE SF_HAVE_X86_KERNELS)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    target_sources(${target} PRIVATE ${stem}_neon.c)
    target_compile_definitions(${target} PRIVATE SF_HAVE_NEON_KERNELS)
  endif()
endfunction()
