# SPDX-License-Identifier: GPL-3.0-or-later

# The page's parts are joined in this order and compiled in, so that a report needs no file beside it.
set(report_scripts dom.js format.js sound.js timeline_draw.js timeline.js call_parts.js call.js overview.js calls.js
                   main.js)
set(REPORT_SCRIPT "")
foreach(script IN LISTS report_scripts)
  file(READ report/assets/${script} report_part)
  string(APPEND REPORT_SCRIPT "${report_part}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS report/assets/${script})
endforeach()
set(REPORT_STYLE "")
foreach(style page.css call.css)
  file(READ report/assets/${style} report_part)
  string(APPEND REPORT_STYLE "${report_part}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS report/assets/${style})
endforeach()
configure_file(report/assets/assets.cpp.in "${CMAKE_CURRENT_BINARY_DIR}/report/assets.cpp" @ONLY)
# The whole page is one literal, longer than every compiler must take.
set_source_files_properties("${CMAKE_CURRENT_BINARY_DIR}/report/assets.cpp" PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)

target_sources(linecheck_engine PRIVATE
  report/columns.cpp
  report/console.cpp
  report/html.cpp
  report/html_data.cpp
  report/json.cpp
  report/json_read.cpp
  report/json_rtp.cpp
  report/json_run.cpp
  report/junit.cpp
  report/ladder.cpp
  report/overview.cpp
  report/progress.cpp
  report/waveform.cpp
  report/words.cpp
  "${CMAKE_CURRENT_BINARY_DIR}/report/assets.cpp"
)
