# Compiles every file of native/kernels/simd once per instruction set that the target may have.
# gatun_simd_objects(<out variable> <options>…): object files for add_library.
#   generic  what any machine of this architecture runs: the scalar references
#   avx2     x86-64-v3: AVX2, FMA, F16C
#   avx512   AVX-512 F, BW, DQ, VL and VNNI (Ice Lake, Zen 4 and later)
#   neon     arm64 with dot products (all Apple silicon, ARMv8.2 servers and later)
#   i8mm     the same with int8 matrix products
set(GATUN_ISA_generic "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set(GATUN_ISAS generic avx2 avx512)
  if(MSVC)
    set(GATUN_ISA_avx2 /arch:AVX2 -D__FMA__ -D__F16C__)
    set(GATUN_ISA_avx512 /arch:AVX512 -D__FMA__ -D__F16C__ -D__AVX512VNNI__)
  else()
    set(GATUN_ISA_avx2 -mavx2 -mfma -mf16c -mbmi2)
    set(GATUN_ISA_avx512 ${GATUN_ISA_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
      -mprefer-vector-width=512)
  endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64" AND NOT MSVC)
  set(GATUN_ISAS generic neon i8mm)
  set(GATUN_ISA_neon -march=armv8.2-a+dotprod+fp16)
  set(GATUN_ISA_i8mm -march=armv8.2-a+dotprod+fp16+i8mm)
else()
  set(GATUN_ISAS generic)
endif()

# GCC regroups integer sums and delays loads, which costs the inner loops a third in spilled registers.
include(CheckCCompilerFlag)
set(GATUN_SIMD_OPTIONS "")
foreach(flag -fno-tree-reassoc -fno-tree-ter)
  string(MAKE_C_IDENTIFIER "GATUN_HAS${flag}" known)
  check_c_compiler_flag(${flag} ${known})
  if(${known} AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND GATUN_SIMD_OPTIONS ${flag})
  endif()
endforeach()

function(gatun_simd_objects out)
  file(GLOB sources CONFIGURE_DEPENDS native/kernels/simd/*.c)
  set(objects "")
  foreach(isa ${GATUN_ISAS})
    set(target gatun_simd_${isa})
    add_library(${target} OBJECT ${sources})
    target_include_directories(${target} PRIVATE native/include native/kernels)
    target_compile_definitions(${target} PRIVATE GATUN_ISA=${isa})
    target_compile_options(${target} PRIVATE ${ARGN} ${GATUN_SIMD_OPTIONS} ${GATUN_ISA_${isa}})
    set_target_properties(${target} PROPERTIES
      POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
    list(APPEND objects $<TARGET_OBJECTS:${target}>)
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()
