# Which prebuilt package fits this machine: GATUN_PLATFORM (the name in jars and folders) and
# GATUN_PACKAGE (the npm package).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
  set(arch arm64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "armv7")
  set(arch armv7l)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "riscv64")
  set(arch riscv64)
else()
  set(arch x64)
endif()
if(APPLE)
  set(os mac)
elseif(WIN32)
  set(os win)
else()
  set(os linux)
endif()
set(GATUN_PLATFORM ${os}-${arch})

if(GATUN_PLATFORM STREQUAL "mac-arm64")
  set(default_accelerator metal)
else()
  set(default_accelerator none)
endif()
set(GATUN_ACCELERATOR ${default_accelerator} CACHE STRING "none, cuda, vulkan or metal")
set_property(CACHE GATUN_ACCELERATOR PROPERTY STRINGS none cuda vulkan metal)

set(available
  linux-arm64:none linux-armv7l:none linux-riscv64:none
  linux-x64:none linux-x64:cuda linux-x64:vulkan
  mac-arm64:metal mac-x64:none
  win-arm64:none win-x64:none win-x64:cuda win-x64:vulkan)
if(NOT GATUN_GGML_DIR AND NOT "${GATUN_PLATFORM}:${GATUN_ACCELERATOR}" IN_LIST available)
  list(JOIN available ", " known)
  message(FATAL_ERROR "There is no prebuilt GGML for ${GATUN_PLATFORM} with accelerator "
    "'${GATUN_ACCELERATOR}'. There are: ${known}. Choose another with -DGATUN_ACCELERATOR=…, "
    "or use installed libraries with -DGATUN_GGML_DIR=/folder.")
endif()
set(GATUN_PACKAGE ${GATUN_PLATFORM})
if(NOT GATUN_ACCELERATOR STREQUAL "none")
  set(GATUN_PACKAGE ${GATUN_PLATFORM}-${GATUN_ACCELERATOR})
endif()
