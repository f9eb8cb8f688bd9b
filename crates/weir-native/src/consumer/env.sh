# Written by `weir install`: where the packages of weir.lock are, for make, configure and compilers.
#
#     . weir_packages/env.sh                      optimised
#     WEIR_VARIANT=debug . weir_packages/env.sh   for a debugger
WEIR_SYSROOT=@SYSROOTS@/${WEIR_VARIANT:-release}
CPATH=$WEIR_SYSROOT/include${CPATH:+:$CPATH}
LIBRARY_PATH=$WEIR_SYSROOT/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
# Programs find the libraries where they are.
LD_RUN_PATH=$WEIR_SYSROOT/lib
PKG_CONFIG_LIBDIR=$WEIR_SYSROOT/lib/pkgconfig:$WEIR_SYSROOT/share/pkgconfig
CMAKE_PREFIX_PATH=$WEIR_SYSROOT${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
PATH=$WEIR_SYSROOT/bin:$PATH
export WEIR_SYSROOT CPATH LIBRARY_PATH LD_RUN_PATH PKG_CONFIG_LIBDIR CMAKE_PREFIX_PATH PATH
