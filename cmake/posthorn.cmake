# What every target of this project shares: warnings as errors, includes from the top of the tree, and
# one function each for a folder's library, a program and a folder's tests.

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Werror -fno-omit-frame-pointer)

# posthorn_library(NAME SOURCES a.cc ... LINKS lib ...): the library of one folder.
function(posthorn_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS})
endfunction()

# posthorn_program(NAME SOURCES main.cc ... LINKS lib ...): a program under bin/ of the build tree.
function(posthorn_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
endfunction()

# posthorn_test(NAME SOURCES a_test.cc ... LINKS lib ...): the GoogleTest program of one folder of tests/,
# each of its tests known to ctest by name.
function(posthorn_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE POSTHORN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                       PROPERTIES TIMEOUT 300)
endfunction()
include(GoogleTest)
