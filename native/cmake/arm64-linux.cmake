# Toolchain file: the kernels for 64-bit ARM, with tests that run under QEMU on another machine.
#   cmake -S . -B build/arm64 -DCMAKE_TOOLCHAIN_FILE=native/cmake/arm64-linux.cmake -DGATUN_KERNELS_ONLY=ON
# Debian, Ubuntu: apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
# max: every extension that QEMU knows, dot products and int8 matrix products among them.
find_program(GATUN_QEMU NAMES qemu-aarch64 qemu-aarch64-static REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR ${GATUN_QEMU} -cpu max -L /usr/aarch64-linux-gnu)
