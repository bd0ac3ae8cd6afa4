#!/bin/sh
# A wrapper as npx and uvx are: it starts the server, and more, and waits. $1: python, $2: the server
sleep 300 &
(setsid sleep 301 &)
"$1" -S "$2"
