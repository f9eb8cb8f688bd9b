# Written by `weir install`: where the packages of weir.lock are.
#
# WEIR_VARIANT               `release` or `debug`; by CMAKE_BUILD_TYPE where nothing is said
# WEIR_CHAINLOAD_TOOLCHAIN   another toolchain file, for a compiler of your own
include_guard()

if(WEIR_CHAINLOAD_TOOLCHAIN)
    include("${WEIR_CHAINLOAD_TOOLCHAIN}")
endif()

if(NOT WEIR_VARIANT)
    if(CMAKE_GENERATOR MATCHES "Multi-Config|Visual Studio|Xcode")
        message(FATAL_ERROR
            "weir: ${CMAKE_GENERATOR} builds several configurations in one folder, and packages of one variant are in "
            "one. Use a generator of one configuration, such as Ninja, or choose for all of them: -DWEIR_VARIANT=release")
    endif()
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
        set(WEIR_VARIANT debug)
    else()
        set(WEIR_VARIANT release)
    endif()
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WEIR_VARIANT WEIR_CHAINLOAD_TOOLCHAIN)

get_filename_component(WEIR_PACKAGES "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(WEIR_SYSROOT "${WEIR_PACKAGES}/@SYSROOTS@/${WEIR_VARIANT}")
list(PREPEND CMAKE_PREFIX_PATH "${WEIR_SYSROOT}")
if(CMAKE_SYSROOT OR CMAKE_FIND_ROOT_PATH)
    # Whoever searches only below these must find the packages too.
    list(PREPEND CMAKE_FIND_ROOT_PATH "${WEIR_SYSROOT}")
endif()
set(ENV{PKG_CONFIG_LIBDIR} "${WEIR_SYSROOT}/lib/pkgconfig:${WEIR_SYSROOT}/share/pkgconfig")

# By their names alone, as check_include_file and a plain `-lz` look for them.
include_directories(AFTER "${WEIR_SYSROOT}/include")
add_link_options("-L${WEIR_SYSROOT}/lib")

# Programs find the libraries where they are, and the libraries each other while they are linked.
list(PREPEND CMAKE_BUILD_RPATH "${WEIR_SYSROOT}/lib")
add_link_options("LINKER:-rpath-link,${WEIR_SYSROOT}/lib")

# Other packages, other options: so everything is compiled again, even where the new packages' files are older
# than what was compiled. No file is named by this path, so nothing else comes of it.
set(WEIR_FARM_release "@RELEASE@")
set(WEIR_FARM_debug "@DEBUG@")
add_compile_options(
    "$<$<COMPILE_LANG_AND_ID:C,GNU,Clang,AppleClang>:-ffile-prefix-map=/weir/${WEIR_FARM_${WEIR_VARIANT}}=/weir>"
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-ffile-prefix-map=/weir/${WEIR_FARM_${WEIR_VARIANT}}=/weir>"
)
