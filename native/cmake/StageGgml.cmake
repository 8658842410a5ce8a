# Brings the pinned prebuilt libraries into GATUN_STAGE, or those of GATUN_GGML_DIR.
set(GATUN_STAGE ${CMAKE_BINARY_DIR}/natives/${GATUN_PLATFORM})
set(GATUN_GGML_DIR "" CACHE PATH "Folder with installed libllama and libggml libraries")

file(READ ${CMAKE_SOURCE_DIR}/native/ggml/package-lock.json lock)
if(GATUN_GGML_DIR)
  if(NOT IS_DIRECTORY ${GATUN_GGML_DIR})
    message(FATAL_ERROR "GATUN_GGML_DIR=${GATUN_GGML_DIR} is not a folder")
  endif()
  set(source_key dir:${GATUN_GGML_DIR})
else()
  string(JSON integrity GET ${lock} packages "node_modules/@node-llama-cpp/${GATUN_PACKAGE}" integrity)
  string(JSON version GET ${lock} packages "node_modules/@node-llama-cpp/${GATUN_PACKAGE}" version)
  set(source_key ${integrity})
  find_program(NPM npm)
  if(NOT NPM)
    message(FATAL_ERROR "npm was not found; it fetches the prebuilt GGML libraries. Install it:\n"
      "  Debian, Ubuntu: sudo apt install npm\n  Fedora: sudo dnf install nodejs-npm\n"
      "  macOS: brew install node\n  Windows: winget install OpenJS.NodeJS\n"
      "or use installed libraries with -DGATUN_GGML_DIR=/folder.")
  endif()
endif()

add_custom_target(stage_ggml ALL
  COMMAND ${CMAKE_COMMAND}
    -DNPM=${NPM} -DPACKAGE=@node-llama-cpp/${GATUN_PACKAGE}@${version} -DINTEGRITY=${integrity}
    -DSOURCE_KEY=${source_key} -DGGML_DIR=${GATUN_GGML_DIR} -DSTAGE=${GATUN_STAGE}
    -DWORK=${CMAKE_BINARY_DIR}/ggml-package
    -P ${CMAKE_SOURCE_DIR}/native/cmake/FetchGgml.cmake
  VERBATIM)
