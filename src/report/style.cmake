# page.css -> a header with the style as a string: cmake -DIN=page.css -DOUT=style.h -P style.cmake
file(READ ${IN} css)
string(REPLACE "\\" "\\\\" css "${css}")
string(REPLACE "\"" "\\\"" css "${css}")
string(REPLACE "\n" "\\n\"\n    \"" css "${css}")
file(WRITE ${OUT} "/* Generated from page.css. */\nstatic const char report_style[] =\n    \"${css}\";\n")
