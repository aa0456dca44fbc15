package main

import (
	"fmt"
	"strings"
)

// Values of each kind, as the templates name them. Pointers are left out where Go would print an address.
var printed = []string{
	".s", ".uni", ".bad", ".quote", ".t", ".i", ".neg", ".zero", ".i8", ".i32", ".i64", ".min64", ".u", ".u8", ".u32", ".u64",
	".pi", ".half", ".big", ".mil", ".tiny", ".fzero", ".fneg", ".f32", ".inf", ".ninf", ".nan", ".max", ".den",
	".nil", ".ms", ".ma", ".mint", ".me", ".mn", ".ls", ".la", ".li", ".ln", ".bytes", ".color", ".word", ".colors", ".pool",
	"1", "2.5", "'x'", "true", "1i", "(index .la 2)",
}

var flagSets = []string{
	"", "+", "#", " ", "0", "-", "8", "08", "-8", "+8", "-08", ".3", ".0", "8.3", "08.3", "+.2", "# ", "#+", "+#8", "# 8", "20", "-20.10", "#.5", " .4", "#20.4",
}

// verbs makes one case of each verb and value, with all sets of flags.
func verbs() []Case {
	var cases []Case
	for _, verb := range "vTtbcdoOqxXUeEfFgGswz" {
		for _, value := range printed {
			var format, args []string
			for _, flags := range flagSets {
				format = append(format, fmt.Sprintf("[%%%s%c]", flags, verb))
				args = append(args, "$x")
			}
			template := fmt.Sprintf("{{$x := %s}}{{printf `%s` %s}}", value, strings.Join(format, ""), strings.Join(args, " "))
			cases = append(cases, Case{ID: fmt.Sprintf("verb/%c/%s", verb, value), Template: template, Data: "main"})
		}
	}
	return cases
}
