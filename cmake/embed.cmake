# A file as bytes of C: cmake -DIN=file -DOUT=header.h -DNAME=array -P embed.cmake
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(....................................................................................................)" "\\1\n    " bytes "${bytes}")
get_filename_component(name ${IN} NAME)
file(WRITE ${OUT} "/* Generated from ${name}. */\nstatic const unsigned char ${NAME}[] = {\n    ${bytes}};\n")
