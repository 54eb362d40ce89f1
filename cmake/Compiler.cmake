# Language level and flags of every target. No -ffast-math and no -march: kernels choose their instruction set
# at run time, and contraction of a*b+c is off so that the same file gives the same bits everywhere.
include(Need)
set(minimum_GNU 9)
set(minimum_Clang 11)
set(minimum_AppleClang 13)
set(minimum_IntelLLVM 2021)
if(NOT DEFINED minimum_${CMAKE_C_COMPILER_ID})
  message(FATAL_ERROR
    " samflow needs gcc ${minimum_GNU}, clang ${minimum_Clang} or later, and ${CMAKE_C_COMPILER} is ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}: set CC")
endif()
sf_need("a compiler of C17, ${CMAKE_C_COMPILER_ID}" TRUE "${CMAKE_C_COMPILER_VERSION}" ${minimum_${CMAKE_C_COMPILER_ID}})
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(samflow_flags INTERFACE)
target_compile_options(samflow_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-align
  -Wwrite-strings -Wvla -ffp-contract=off -fno-math-errno)
target_compile_definitions(samflow_flags INTERFACE _POSIX_C_SOURCE=200809L _FILE_OFFSET_BITS=64
  $<$<PLATFORM_ID:Darwin>:_DARWIN_C_SOURCE>) # the number of processors
if(SAMFLOW_WERROR)
  target_compile_options(samflow_flags INTERFACE -Werror)
endif()
# A stand-in for the systems where long double is double (macOS on ARM), so that their tolerances are tested here.
option(SAMFLOW_LONG_DOUBLE_64 "long double of 64 bits, for tests on x86" OFF)
if(SAMFLOW_LONG_DOUBLE_64)
  target_compile_options(samflow_flags INTERFACE -mlong-double-64)
endif()
if(SAMFLOW_SANITIZE)
  target_compile_options(samflow_flags INTERFACE -fsanitize=${SAMFLOW_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(samflow_flags INTERFACE -fsanitize=${SAMFLOW_SANITIZE})
endif()
