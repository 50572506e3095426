# Two helpers: hs_room() makes one library of one folder, hs_test() one test program.
# A room sees the headers of the rooms in its DEPS and of no other, so the compiler enforces the floors of
# docs/architecture.md (scripts/check-deps holds the same table against the #include lines).

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(module libzmq libprotobuf-c libsodium libzstd jansson libsystemd libmicrohttpd gnutls zlib ncursesw)
  pkg_check_modules(${module} REQUIRED IMPORTED_TARGET ${module})
endforeach()
pkg_check_modules(lmdb REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(libcyaml REQUIRED IMPORTED_TARGET libcyaml)
find_program(PROTOC_C protoc-c REQUIRED)

add_library(hs_flags INTERFACE)
target_compile_definitions(hs_flags INTERFACE _GNU_SOURCE HS_VERSION="${PROJECT_VERSION}")
target_compile_options(hs_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough
  -fno-strict-aliasing -fstack-protector-strong -fvisibility=hidden)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT HS_SANITIZER)
  target_compile_options(hs_flags INTERFACE -D_FORTIFY_SOURCE=2 -g1)
endif()
if(HS_SANITIZER STREQUAL "address")
  target_compile_options(hs_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(hs_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(hs_flags INTERFACE HS_UNDER_SANITIZER=1)
elseif(HS_SANITIZER STREQUAL "thread")
  target_compile_options(hs_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer -g)
  target_link_options(hs_flags INTERFACE -fsanitize=thread)
  target_compile_definitions(hs_flags INTERFACE HS_UNDER_SANITIZER=1)
elseif(NOT HS_SANITIZER STREQUAL "")
  message(FATAL_ERROR "HS_SANITIZER is empty, address or thread, not '${HS_SANITIZER}'")
endif()

# Asserts guard against our own mistakes and stay in every build.
set(CMAKE_C_FLAGS_RELEASE "-O2")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

# hs_room(base DEPS PkgConfig::libsodium): library hs_base of all .c files in this folder/base.
# Headers are included by their path from the repository's top, e.g. "storage/store.h".
function(hs_room name)
  cmake_parse_arguments(ROOM "" "FOLDER" "DEPS;SOURCES" ${ARGN})
  if(NOT ROOM_FOLDER)
    set(ROOM_FOLDER ${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${ROOM_FOLDER}/*.c)
  list(APPEND sources ${ROOM_SOURCES})
  add_library(hs_${name} STATIC ${sources})
  target_include_directories(hs_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  target_link_libraries(hs_${name} PUBLIC ${ROOM_DEPS} PRIVATE hs_flags)
endfunction()

# hs_test(model_record SOURCES a.c DEPS hs_model TIMEOUT 60 [LABELS system])
function(hs_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;DEPS;LABELS;ARGS" ${ARGN})
  add_executable(test_${name} ${TEST_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${TEST_DEPS} hs_testlib hs_flags)
  add_test(NAME ${name} COMMAND test_${name} ${TEST_ARGS})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 60)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}" SKIP_RETURN_CODE 77)
endfunction()

# Of a test's own lines little time is spent, but for compiling them: gcc with its sanitizers takes eight times as long to optimise a
# file full of assertions.
function(hs_quick_to_compile target)
  if(HS_SANITIZER STREQUAL "address")
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
