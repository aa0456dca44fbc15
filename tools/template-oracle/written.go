package main

import "fmt"

// One group of hand-written cases: templates that all run over one data set.
type group struct {
	name      string
	data      string
	templates []string
}

func written() []Case {
	var cases []Case
	for _, g := range append(append(syntax, values...), failures...) {
		for i, t := range g.templates {
			cases = append(cases, Case{ID: fmt.Sprintf("%s/%02d", g.name, i), Template: t, Data: g.data})
		}
	}
	return cases
}

var syntax = []group{
	{"text", "main", []string{
		"", "plain", "a\nb\n", "{ { }} }", "é☺", "\r\n\t x", "{{\"{{\"}}", "{{`}}`}}", "{", "{{", "a {{", "}}", "{{}}", "{{ }}", "{{-}}", "{{- }}", "{{-3}}", "{{- 3}}", "{{3 -}} x", "{{3-}}", "{{ 3- }}",
	}},
	{"trim", "main", []string{
		"a  {{- .s -}}  b", "a\n\n{{- .s}}\n b", "a {{.s -}}\n\n b", "a {{- .s -}} {{- .s -}} b", "  {{- /* c */ -}}  x", " a {{/* c */ -}} b", "a {{- /* c */}} b",
		"{{if .t -}} x {{- else -}} y {{- end -}} z", " {{- range .ls -}} {{.}} {{- end -}} ", "a{{\"  \"}}{{- \"x\"}}", "{{- .s}}", "{{.s -}}", "x{{-\n.s\n-}}\ny", "x {{-\t.s\t-}} y", "a \u00a0{{- .s}}", "{{with .s -}}\n  {{.}}\n{{- end}}",
		"{{define \"x\" -}} [{{.}}] {{- end}} {{- template \"x\" .s -}} !", "{{ .s|print -}} x", "x {{- $v := 1 -}} y {{- $v -}} z", "x {{- end}}", "x {{- ", "x {{- .s -", "a {{- .s -} b",
	}},
	{"comment", "main", []string{
		"a{{/* c */}}b", "{{/*\nc\n*/}}x", "{{/* a */}}{{/* b */}}", "{{ /* c */}}", "{{/* c */ }}", "{{/* c }}", "{{/* c *}}", "{{/* {{.s}} */}}", "{{/**/}}", "{{- /**/ -}} x", "a\n{{/* c",
	}},
	{"constant", "main", []string{
		"{{1}} {{-1}} {{+1}} {{0}} {{007}} {{0x1F}} {{0b101}} {{0o17}} {{1_000}}", "{{1.5}} {{-.5}} {{1.}} {{1e3}} {{1E-3}} {{1e21}} {{1e20}} {{0x1p4}} {{0x1.8p1}}", "{{1_000.5}}", "{{0x_1F}}", "{{1__0}}", "{{1_}}", "{{_1}}",
		"{{'a'}} {{'\\n'}} {{'\\u00e9'}} {{'☺'}} {{'\\''}} {{'\\x41'}} {{'\\101'}}", "{{''}}", "{{'ab'}}", "{{'a}}", "{{'\\q'}}", "{{1i}}", "{{1+2i}}", "{{1.5-2i}}", "{{0i}}", "{{print 0i 1 (1+0i)}}", "{{1+2}}", "{{1e}}", "{{1x}}", "{{0x}}", "{{08}}", "{{1.2.3}}",
		"{{9223372036854775807}}", "{{9223372036854775808}}", "{{-9223372036854775808}}", "{{18446744073709551615}}", "{{18446744073709551616}}", "{{1e400}}", "{{true}} {{false}}", "{{nil}}", "{{print nil}}", "{{\"a\\tb\\\"c\\u00e9\\x41\\101\"}}", "{{\"\\xff\"}}", "{{`a\nb\\n`}}",
		"{{\"a\nb\"}}", "{{\"abc}}", "{{`abc}}", "{{\"\\q\"}}", "{{\"\\u12\"}}", "{{\"\\ud800\"}}", "{{print 1 2 \"a\" \"b\" 3 nil true 1.5}}", "{{1000000}} {{1000000.0}} {{123456789.0}} {{0.000001}} {{0.0000001}}", "{{print 1.0 2.50 100.0 1e6 1e-5 .1}}", "{{printf \"%T %T %T %T %T %T\" 1 1.0 'a' 1i true \"\"}}", "{{printf \"%T\" 0x10}} {{printf \"%T\" 1e3}} {{printf \"%T\" 0x1p4}}", "{{i64 1e3}}", "{{i64 1.5}}", "{{half 3}}", "{{half 'a'}}", "{{add 'a' 1}}", "{{add 1.0 2}}",
	}},
	{"field", "main", []string{
		"{{.s}}", "{{.ms.a}} {{.ma.deep.k}}", "{{.pool.Name}} {{.pool.Tags.a}} {{.pool.Any}}", "{{.pp.Name}} {{.pp.Next.Name}}", "{{.pp.Next.Next}}", "{{$.s}} {{$.ms.a}}", "{{(.ms).a}} {{(index .lm 0).n}}", "{{.ms.missing}}", "{{.missing}}", "{{.missing.x}}", "{{.s.x}}", "{{.i.x}}", "{{.nil.x}}", "{{.ma.z.x}}", "{{.pool.nope}}", "{{.pool.name}}", "{{.pp.nope}}", "{{.np.Name}}", "{{.np.Nope}}", "{{.ls.x}}", "{{.ms.a.b}}", "{{.mint.x}}", "{{.me.x}}", "{{.mn.x}}",
		"{{.pool.Upper}} {{.pp.Upper}} {{.pool.Plus 2}} {{.pool.Plus .i64}}", "{{.pool.Plus}}", "{{.pool.Plus 1 2}}", "{{.pool.Plus \"a\"}}", "{{.pool.Plus .i}}", "{{.pool.Has}} {{.pool.Has \"a\"}} {{.pool.Has \"z\" \"y\"}}", "{{.pool.Fail \"why\"}}", "{{.pool.Name 1}}", "{{.s 1}}", "{{.ms.a 1}}", "{{1 | .pool.Plus}}", "{{1 | .s}}", "{{\"a\" | .pool.Has}}", "{{.pool.Upper.x}}", "{{(.pool).Upper}}", "{{(.pool.Plus 1)}}", "{{.pool.Upper | printf \"%s!\"}}", "{{. | printf \"%T\"}}", "{{.x.y.z}}", "{{..s}}", "{{.s.}}", "{{.1}}", "{{.é}}", "{{.ms.é}}", "{{.a-b}}", "{{.s,}}", "{{.constructor}}", "{{.__proto__}}", "{{.ms.toString}}", "{{.ms.__proto__}}", "{{.s.length}}", "{{.ls.length}}",
	}},
	{"dot", "string", []string{"{{.}}", "{{. | len}}", "{{.x}}", "{{$}}", "{{$.x}}", "{{len .}} {{slice . 1 3}}", "{{range .}}{{.}}{{end}}", "{{with .}}{{.}}{{end}}"}},
	{"dot-nil", "nil", []string{"{{.}}", "{{.x}}", "{{$}}", "{{if .}}a{{else}}b{{end}}", "{{range .}}a{{else}}b{{end}}", "{{with .}}a{{else}}b{{end}}", "{{print .}}", "{{len .}}", "{{index . 1}}", "{{not .}}", "{{eq . nil}}", "{{.x.y}}", "{{and . 1}} {{or . 1}}", "{{printf \"%v\" .}}", "{{html .}}", "{{call .}}", "{{slice .}}", "{{show .}}", "{{template \"x\"}}{{define \"x\"}}[{{.}}]{{end}}"}},
	{"dot-pool", "pool", []string{"{{.}}", "{{.Name}} {{.Upper}}", "{{printf \"%v %+v\" . .}}", "{{.Plus 1}}", "{{with .Tags}}{{.a}}{{end}}", "{{.Next}}", "{{.Next.Name}}", "{{if .Next}}a{{else}}b{{end}}", "{{range .Next}}{{end}}", "{{eq .Any 9}}"}},
	{"dot-ptr", "ptr", []string{"{{.Name}} {{.Next.Name}} {{.Tags.x}}", "{{.Upper}} {{.Next.Upper}}", "{{.Next.Next.Name}}", "{{printf \"%T\" .}}", "{{len .}}", "{{index . 0}}", "{{eq . .}} {{ne . .Next}}"}},
	{"variable", "main", []string{
		"{{$x := 1}}{{$x}}", "{{$x := 1}}{{$x = 2}}{{$x}}", "{{$x := 1}}{{if .t}}{{$x = 2}}{{end}}{{$x}}", "{{$x := 1}}{{if .t}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "{{$x}}", "{{$x = 1}}", "{{if $x := .s}}{{$x}}{{end}}", "{{if $x := .s}}{{end}}{{$x}}", "{{with $x := .s}}{{$x}} {{.}}{{else}}{{$x}}{{end}}", "{{with $x := .empty}}a{{else}}[{{$x}}]{{end}}", "{{range $x := .ls}}{{$x}}{{end}}", "{{range $i, $x := .ls}}{{$i}}{{$x}}{{end}}", "{{range $k, $v := .ms}}{{$k}}={{$v}};{{end}}", "{{$i := 9}}{{$x := 9}}{{range $i, $x = .ls}}{{$i}}{{$x}}{{end}}{{$i}}{{$x}}", "{{$x := 9}}{{range $x = .ls}}{{$x}}{{end}}{{$x}}",
		"{{$x := 1 | add 2}}{{$x}}", "{{$x := .ms}}{{$x.a}}", "{{$x := .pool}}{{$x.Upper}} {{$x.Plus 1}}", "{{$x := 1}}{{$x 2}}", "{{$x := 1}}{{2 | $x}}", "{{$a, $b := .ls}}", "{{range $a, $b, $c := .ls}}{{end}}", "{{range $a, b := .ls}}{{end}}", "{{$}}x"[:0] + "{{$.s}}", "{{$x:=1}}{{$x}}", "{{$x :=1}}{{$x}}", "{{$x := }}", "{{$x :}}", "{{$1 := 2}}{{$1}}", "{{$_é := 2}}{{$_é}}", "{{$x := $y}}", "{{$x := nil}}", "{{$x := .nil}}[{{$x}}]", "{{define \"t\"}}{{$x}}{{end}}{{$x := 1}}", "{{$x := 1}}{{template \"t\"}}{{define \"t\"}}{{$.s}}{{end}}", "{{range .ls}}{{$y := .}}{{$y}}{{end}}{{$y}}", "{{$x := 1}}{{range .ls}}{{$x = .}}{{end}}{{$x}}", "{{$x := 5}}{{with $x}}{{$x = 6}}{{.}}{{end}}{{$x}}", "{{$a := 1}}{{$b := $a}}{{$a = 2}}{{$a}}{{$b}}", "{{$x.y}}", "{{($x := 1)}}{{$x}}", "{{if ($x := 1)}}{{$x}}{{end}}",
	}},
	{"if", "main", []string{
		"{{if .t}}a{{end}}", "{{if .f}}a{{end}}b", "{{if .t}}a{{else}}b{{end}}", "{{if .f}}a{{else if .t}}b{{else}}c{{end}}", "{{if .f}}a{{else if .f}}b{{else}}c{{end}}", "{{if .f}}a{{else if .f}}b{{else if .t}}c{{end}}d", "{{if 0}}a{{else}}b{{end}}{{if 0.0}}a{{else}}b{{end}}{{if \"\"}}a{{else}}b{{end}}{{if 1}}c{{end}}", "{{if .ls}}a{{end}}{{if .le}}b{{end}}{{if .ln}}c{{end}}{{if .me}}d{{end}}{{if .ms}}e{{end}}", "{{if .pool}}a{{end}}{{if .pp}}b{{end}}{{if .np}}c{{end}}{{if .nil}}d{{end}}", "{{if .nan}}a{{end}}{{if .color}}b{{end}}{{if .cat}}c{{end}}{{if 1i}}d{{end}}", "{{if}}a{{end}}", "{{if .t}}a", "{{if .t}}a{{else}}b", "{{else}}", "{{end}}", "{{if .t}}a{{else}}b{{else}}c{{end}}", "{{if .t .f}}a{{end}}", "{{if .missing}}a{{end}}", "{{if nil}}a{{end}}", "{{if .t}}{{if .f}}a{{else}}b{{end}}{{else}}c{{end}}", "{{if .f}}a{{else with .s}}b{{end}}", "{{if not .f}}a{{end}}", "{{if and .t .s}}a{{end}}", "{{if eq .s \"abc\"}}a{{end}}", "{{if (eq .i 42)}}a{{end}}", "{{ifx}}", "{{if .t}}x{{end .s}}", "{{if .t}}x{{else .s}}{{end}}",
	}},
	{"with", "main", []string{
		"{{with .s}}{{.}}{{end}}", "{{with .empty}}a{{end}}b", "{{with .empty}}a{{else}}[{{.s}}]{{end}}", "{{with .empty}}a{{else with .s}}b{{.}}{{else}}c{{end}}", "{{with .empty}}a{{else with .f}}b{{else with .i}}c{{.}}{{end}}", "{{with .ms}}{{.a}}{{$.s}}{{end}}", "{{with $x := 3}}{{$x}}{{.}}{{end}}", "{{with .nil}}a{{else}}b{{end}}", "{{with .empty}}a{{else if .s}}b{{end}}", "{{with}}{{end}}", "{{with .pool}}{{.Name}}{{with .Tags}}{{.a}}{{end}}{{.Size}}{{end}}", "{{with index .la 2}}a{{else}}b{{end}}", "{{with index .la 1}}{{printf \"%T\" .}}{{end}}",
	}},
	{"range", "main", []string{
		"{{range .ls}}{{.}}{{end}}", "{{range .le}}a{{else}}b{{end}}", "{{range .ln}}a{{else}}b{{end}}", "{{range .ms}}{{.}};{{end}}", "{{range $k, $v := .ms}}{{$k}}:{{$v}} {{end}}", "{{range .me}}a{{else}}b{{end}}", "{{range .mn}}a{{else}}b{{end}}", "{{range $k, $v := .mint}}{{$k}}{{$v}} {{end}}", "{{range $k, $v := .mf}}{{$k}}{{$v}} {{end}}", "{{range $k, $v := .mbool}}{{$k}}{{$v}} {{end}}", "{{range $k, $v := .ma}}{{$k}}={{$v}} {{end}}", "{{range .la}}[{{.}}]{{end}}", "{{range .ll}}{{range .}}{{.}}{{end}};{{end}}", "{{range 3}}{{.}}{{end}}", "{{range 0}}a{{else}}b{{end}}", "{{range -1}}a{{else}}b{{end}}", "{{range $i := 3}}{{$i}}{{end}}", "{{range $i, $j := 3}}{{end}}", "{{range .three}}{{.}}{{end}}", "{{range .u8}}{{end}}ok", "{{range $x := .i8}}{{$x}}{{else}}none{{end}}", "{{range .s}}{{.}}{{end}}", "{{range .t}}{{end}}", "{{range .pi}}{{end}}", "{{range .pool}}{{end}}", "{{range .pp}}{{end}}", "{{range .nil}}a{{else}}b{{end}}", "{{range nil}}a{{end}}", "{{range .missing}}{{end}}", "{{range .cat}}{{end}}",
		"{{range .ls}}{{break}}{{end}}x", "{{range .ls}}{{if eq . \"y\"}}{{break}}{{end}}{{.}}{{end}}", "{{range .ls}}{{if eq . \"y\"}}{{continue}}{{end}}{{.}}{{end}}", "{{range $i, $x := .ls}}{{if $i}}{{continue}}{{end}}{{$x}}{{else}}n{{end}}", "{{range .ll}}{{range .}}{{break}}{{end}}a{{end}}", "{{range .ls}}{{with .}}{{break}}{{end}}{{end}}z", "{{break}}", "{{continue}}", "{{range .ls}}{{else}}{{break}}{{end}}", "{{range .ls}}{{break 1}}{{end}}", "{{range .ls}}{{define \"q\"}}{{break}}{{end}}{{end}}", "{{define \"q\"}}{{break}}{{end}}", "{{range .ls}}{{block \"q\" .}}{{break}}{{end}}{{end}}", "{{range .ls}}{{.}}{{end}}{{.s}}", "{{range .pools}}{{.Name}}{{.Size}} {{.Tags}};{{end}}", "{{range .lm}}{{.n}}{{end}}", "{{range .bytes}}{{.}} {{end}}", "{{range .words}}{{.}}{{printf \"%T\" .}}{{end}}", "{{range .colors}}{{.}} {{end}}", "{{range}}{{end}}", "{{range .ls}}", "{{range .ls}}{{else if .t}}{{end}}", "{{range $i, $c := .ls}}{{if $i}},{{end}}{{$c}}{{end}}", "{{range (slice .ls 1)}}{{.}}{{end}}", "{{range $_, $x := .ls}}{{$x}}{{end}}", "{{range .ls}}{{$.s}}{{end}}", "{{range $x := .ls | len}}{{$x}}{{end}}",
	}},
	{"template", "main", []string{
		"{{define \"a\"}}x{{end}}{{template \"a\"}}", "{{template \"a\" .s}}{{define \"a\"}}[{{.}}]{{end}}", "{{template \"a\" .}}{{define \"a\"}}{{.s}}{{$.i}}{{end}}", "{{template \"nope\"}}", "{{block \"b\" .s}}<{{.}}>{{end}}", "{{block \"b\" .s}}1{{end}}{{define \"b\"}}2{{end}}", "{{define \"b\"}}2{{end}}{{block \"b\" .s}}1{{end}}", "{{define \"a\"}}1{{end}}{{define \"a\"}}2{{end}}", "{{define \"a\"}} {{end}}{{define \"a\"}}2{{end}}{{template \"a\"}}", "{{define \"a\"}}{{template \"b\" .}}{{end}}{{define \"b\"}}{{.}}{{end}}{{template \"a\" .i}}", "{{define \"r\"}}{{if gt . 0}}{{.}}{{template \"r\" (add . -1)}}{{end}}{{end}}{{template \"r\" 3}}", "{{define a}}{{end}}", "{{define}}{{end}}", "{{define \"a\"}}", "{{define \"a\" .}}{{end}}", "{{if .t}}{{define \"a\"}}{{end}}{{end}}", "{{template}}", "{{template a}}", "{{template .s}}", "{{template \"a\" .s .t}}{{define \"a\"}}{{end}}", "{{template `a`}}{{define `a`}}raw{{end}}", "{{define \"a\"}}{{.x}}{{end}}\n{{template \"a\" .ms}}", "{{define \"a\"}}{{.}}{{end}}{{template \"a\"}}", "{{block \"b\"}}{{end}}", "{{block \"b\" .}}", "{{block \"b\" .}}{{else}}{{end}}", "{{define \"a\"}}x{{else}}y{{end}}", "{{template \"t.yaml\" .}}"[:0] + "{{define \"x\"}}A{{end}}B", "{{with $x := 1}}{{template \"a\" $x}}{{end}}{{define \"a\"}}{{.}}{{end}}", "{{template \"a\" nil}}{{define \"a\"}}{{end}}", "{{template \"a\" $x := 1}}{{$x}}{{define \"a\"}}{{.}}{{end}}", "{{template \"\"}}", "{{template \"q\\\"x\"}}",
	}},
	{"pipe", "main", []string{
		"{{.s | print}}", "{{.s | print | len}}", "{{1 | add 2}}", "{{1 | add 2 | add 3}}", "{{.s | printf \"%s %s\" \"x\"}}", "{{print 1 | print 2}}", "{{.s | .t}}", "{{.s | 1}}", "{{.s | \"x\"}}", "{{.s | .}}", "{{.s | nil}}", "{{.s | true}}", "{{|print}}", "{{.s|}}", "{{.s||print}}", "{{(.s | print) | len}}", "{{(print 1 2)}}", "{{((1))}}", "{{()}}", "{{(}}", "{{)}}", "{{(1}}", "{{(1))}}", "{{1)}}", "{{(1) 2}}", "{{1 2}}", "{{\"a\" \"b\"}}", "{{.s .t}}", "{{print (print 1) (print 2)}}", "{{print(1)}}", "{{print(1)(2)}}", "{{(print).x}}", "{{print.x}}", "{{\"a\".x}}", "{{1.x}}", "{{true.x}}", "{{nil.x}}", "{{(nil).x}}", "{{(\"a\").x}}", "{{print .s.x}}", "{{print `a` \"b\" 'c'}}", "{{print \"a\"\"b\"}}", "{{nosuch 1}}", "{{nosuch}}", "{{.s | nosuch}}", "{{print .s | nosuch}}", "{{@}}", "{{.s @}}", "{{.s ! }}", "{{é}}", "{{print\n1\n}}", "{{print 1 |\nprint}}", "{{\n\n.missing}}", "line\n{{.missing}}", "é{{.missing}}", "a\nbé{{ .s }} {{ .ms.nope | print }}", "{{print \u00a0 1}}", "{{.s\u2028}}", "{{print 1, 2}}", "{{print 1;2}}", "{{.s = 1}}", "{{print := 1}}", "{{print $ | len}}"[:0] + "{{print 1\n", "{{print \"a\nb\"}}", "x\n{{if .t}}\n{{print `abc", "x\n{{print (1\n}}",
	}},
}
