#!/usr/bin/env bats

setup() {
	# shellcheck source=/dev/null
	source "$BATS_TEST_DIRNAME/../src/@NAME@.sh"
}

@test "somebody is greeted by name" {
	run @SLUG@.greet Ann
	[ "$status" -eq 0 ]
	[ "$output" = "Hello, Ann!" ]
}

@test "the world is greeted where nobody is named" {
	run @SLUG@.greet
	[ "$output" = "Hello, world!" ]
}
