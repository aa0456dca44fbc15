package main

import (
	"fmt"
	"math/rand"
	"strings"
)

// composer makes random templates: mostly sensible ones, now and then a wrong one.
type composer struct {
	*rand.Rand
	depth     int
	loops     int
	variables []string
	defined   []string
}

func random(count int, seed int64) []Case {
	var cases []Case
	for i := 0; i < count; i++ {
		c := composer{Rand: rand.New(rand.NewSource(seed + int64(i)))}
		cases = append(cases, Case{ID: fmt.Sprintf("random/%d", i), Template: c.file(), Data: "main"})
	}
	return cases
}

func (c *composer) pick(options ...string) string { return options[c.Intn(len(options))] }

// mostly picks a sensible option, and once in a while one that is probably an error.
func (c *composer) mostly(sound []string, risky ...string) string {
	if c.Intn(25) == 0 {
		return c.pick(risky...)
	}
	return c.pick(sound...)
}

func (c *composer) file() string {
	var b strings.Builder
	for i := c.Intn(3); i > 0; i-- {
		name := fmt.Sprintf("T%d", i)
		fmt.Fprintf(&b, "%s", c.action(fmt.Sprintf("define %q", name)))
		outer := *c
		c.variables, c.loops, c.depth = nil, 0, 2
		b.WriteString(c.block())
		c.variables, c.loops, c.depth = outer.variables, outer.loops, outer.depth
		b.WriteString(c.action("end"))
		c.defined = append(c.defined, name)
	}
	b.WriteString(c.block())
	return b.String()
}

func (c *composer) action(inner string) string {
	left, right := "{{", "}}"
	if c.Intn(4) == 0 {
		left = "{{- "
	} else if c.Intn(6) == 0 {
		left = "{{ "
	}
	if c.Intn(4) == 0 {
		right = " -}}"
	} else if c.Intn(6) == 0 {
		right = " }}"
	}
	return left + inner + right
}

func (c *composer) block() string {
	var b strings.Builder
	mark := len(c.variables)
	for i := 1 + c.Intn(4); i > 0; i-- {
		b.WriteString(c.text())
		b.WriteString(c.statement())
	}
	b.WriteString(c.text())
	c.variables = c.variables[:mark]
	return b.String()
}

func (c *composer) text() string {
	return c.pick("", " ", "\n", "a: b\n", "  - x", "é☺", "\t", "}} ", "{ { ", "line\n\n  next ", "#", "-")
}

func (c *composer) statement() string {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > 4 {
		return c.action(c.pipeline())
	}
	switch c.Intn(13) {
	case 0, 1:
		return c.branch("if", c.condition())
	case 2:
		return c.branch("with", c.pipeline())
	case 3, 4:
		return c.loop()
	case 5:
		name := c.pick("$a", "$b", "$long_name")
		value := c.pipeline()
		c.variables = append(c.variables, name)
		return c.action(name + " := " + value)
	case 6:
		if len(c.variables) > 0 {
			return c.action(c.pick(c.variables...) + " = " + c.pipeline())
		}
	case 7:
		if len(c.defined) > 0 {
			return c.action(fmt.Sprintf("template %q %s", c.pick(c.defined...), c.mostly([]string{"$"}, c.operand())))
		}
	case 8:
		return c.pick("{{/* note */}}", "{{- /* note */ -}}", "{{/* a\nb */ -}}")
	case 9:
		if c.loops > 0 {
			return c.action("if "+c.condition()) + c.action(c.pick("break", "continue")) + c.action("end")
		}
	}
	return c.action(c.pipeline())
}

func (c *composer) branch(kind, pipe string) string {
	mark := len(c.variables)
	if c.Intn(4) == 0 {
		pipe = "$v := " + pipe
		c.variables = append(c.variables, "$v")
	}
	s := c.action(kind+" "+pipe) + c.block()
	if c.Intn(3) == 0 {
		s += c.action("else "+kind+" "+c.condition()) + c.block()
	}
	if c.Intn(2) == 0 {
		s += c.action("else") + c.block()
	}
	c.variables = c.variables[:mark]
	return s + c.action("end")
}

func (c *composer) loop() string {
	mark := len(c.variables)
	over := c.mostly([]string{"$.ls", "$.la", "$.ms", "$.ma", "$.li", "$.le", "$.mint", "$.three", "2", "$.ll", "(slice $.ls 1)", "$.mb", "$.nil", "$.words"}, "$.s", "$.pi", "$.pool")
	head := c.pick("", "$e := ", "$i, $e := ", "$k, $v := ")
	if over == "2" || over == "$.three" {
		head = c.pick("", "$e := ")
	}
	for _, name := range []string{"$i", "$e", "$k", "$v"} {
		if strings.Contains(head, name) {
			c.variables = append(c.variables, name)
		}
	}
	c.loops++
	s := c.action("range "+head+over) + c.block()
	c.loops--
	c.variables = c.variables[:mark]
	if c.Intn(2) == 0 {
		s += c.action("else") + c.block()
	}
	return s + c.action("end")
}

func (c *composer) condition() string {
	switch c.Intn(6) {
	case 0:
		return fmt.Sprintf("%s %s %s", c.pick("eq", "ne", "lt", "le", "gt", "ge"), c.number(), c.number())
	case 1:
		return fmt.Sprintf("%s %s %s", c.pick("eq", "ne", "lt", "gt"), c.word(), c.word())
	case 2:
		return fmt.Sprintf("%s (%s) %s", c.pick("and", "or"), c.condition(), c.operand())
	case 3:
		return "not " + c.operand()
	}
	return c.operand()
}

func (c *composer) number() string {
	return c.mostly([]string{"1", "3", "$.i", "$.zero", "$.three", "(len $.ls)", "0x10", "'a'", "-2", "(index $.li 0)", "(add 1 2)"}, "$.u", "$.i64", "1.5", "nil")
}

func (c *composer) word() string {
	return c.pick(`"abc"`, "$.s", "$.empty", `""`, "`raw`", "(index $.ls 1)", `(printf "%s" $.s)`, "$.ms.a", "(index $.ms \"zz\")", `"\u00e9\n"`)
}

func (c *composer) operand() string {
	if len(c.variables) > 0 && c.Intn(3) == 0 {
		return c.pick(c.variables...)
	}
	switch c.Intn(10) {
	case 0:
		if c.loops > 0 {
			return "."
		}
	case 1:
		return c.number()
	case 2, 3:
		return c.word()
	case 4:
		return "(" + c.call() + ")"
	case 5:
		return c.pick("true", "false", "$.t", "$.f", "$.nil", "$.half", "1.5", "1e3", "$.pi", "$.mil", "$.f32")
	}
	return c.mostly([]string{"$.ls", "$.ms", "$.la", "$.ma", "$.pool", "$.pool.Name", "$.pool.Upper", "$.pp.Next.Name", "$.ma.deep.k", "$.li", "$.color", "$.mint",
		"$.ll", "$.me", "$.ln", "$.bytes", "(index $.lm 0).n", "$.uni", "$.html", "$.pool.Any", "$.bad", "$.max", "$.quote", "$.word"}, "$.missing", "$.s.x", "$.np.Name", "$.pool.nope", ".")
}

func (c *composer) call() string {
	switch c.Intn(14) {
	case 0:
		return fmt.Sprintf("printf %q %s %s", c.format(), c.operand(), c.operand())
	case 1:
		return fmt.Sprintf("print %s %s %s", c.operand(), c.operand(), c.operand())
	case 2:
		return fmt.Sprintf("println %s %s", c.operand(), c.operand())
	case 3:
		return "len " + c.mostly([]string{"$.ls", "$.s", "$.ms", "$.uni", "$.me"}, c.operand())
	case 4:
		return fmt.Sprintf("index %s %s", c.pick("$.ls", "$.li", "$.la", "$.s"), c.mostly([]string{"0", "1", "2", "$.zero"}, "3", "$.three", "-1", c.operand()))
	case 5:
		return fmt.Sprintf("index %s %s", c.pick("$.ms", "$.ma", "$.mi"), c.mostly([]string{`"a"`, `"x"`, `"deep"`, c.word()}, c.operand()))
	case 6:
		return fmt.Sprintf("slice %s %s", c.pick("$.ls", "$.s", "$.uni", "$.li"), c.mostly([]string{"1", "0 2", "1 1", "2"}, "0 1 2", "2 9", "\"a\""))
	case 7:
		return c.pick("html ", "js ", "urlquery ") + c.operand()
	case 8:
		return fmt.Sprintf("add %s %s", c.number(), c.number())
	case 9:
		return fmt.Sprintf("cat %s %s", c.word(), c.word())
	case 10:
		return c.pick("$.pool.Plus ", "$.pp.Plus ", "i64 ") + c.mostly([]string{"1", "$.i64", "-3"}, c.number())
	case 11:
		return c.pick("and ", "or ") + c.operand() + " " + c.operand()
	case 12:
		return c.mostly([]string{"call $.add 1 2", "call $.cat \"a\" $.s", "show " + c.operand(), "half 3", "half $.pi"}, "half "+c.operand(), "call "+c.operand(), "fail")
	}
	return "not " + c.operand()
}

func (c *composer) format() string {
	var b strings.Builder
	for i := 1 + c.Intn(3); i > 0; i-- {
		fmt.Fprintf(&b, "%s%%%s%s", c.pick("", " ", "x=", "é"), c.pick("", "", "+", "#", "-", "0", "5", "08", "-6", ".2", "6.1", "[1]", "*", "[2]*[1]"), c.pick("v", "v", "s", "d", "q", "x", "T", "t", "f", "g", "e", "c", "U", "%", "b", "o"))
	}
	return b.String()
}

func (c *composer) pipeline() string {
	s := c.call()
	if c.Intn(2) == 0 {
		s = c.operand()
	}
	for c.Intn(4) == 0 {
		s += " | " + c.mostly([]string{"printf \"%v\"", "print", "html", "not", "show", "printf \"%s-%v\" \"a\"", "and true", "or false", "js", "print | len", "print | cat \"p\""}, "len", "cat \"p\"", "eq 3", "index $.ms", "nosuch", "$.s")
	}
	return s
}
