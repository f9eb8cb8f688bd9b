# shellcheck shell=bash

# Greets somebody: @SLUG@.greet [NAME]
@SLUG@.greet() {
	printf 'Hello, %s!\n' "${1:-world}"
}
