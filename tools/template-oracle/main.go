// Command template-oracle writes what Go's text/template makes of many templates. See README.md.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"text/template"
	"unicode/utf8"
)

// Case is one template with its data and what came out.
type Case struct {
	ID       string `json:"id"`
	Template string `json:"template"`
	// Data names the data set; left out where it is "main".
	Data   string `json:"data,omitempty"`
	Output string `json:"output,omitempty"`
	// Bytes is the output in base64 where it is no UTF-8.
	Bytes string `json:"bytes,omitempty"`
	Error string `json:"error,omitempty"`
}

type corpus struct {
	Go    string
	Seed  int64
	Data  map[string]json.RawMessage
	Cases []Case
}

var address = regexp.MustCompile(`0x[0-9a-f]{6,}`)

func run(c *Case, data any) string {
	t, err := template.New("t.yaml").Option("missingkey=error").Funcs(functionMap()).Parse(c.Template)
	var out bytes.Buffer
	if err == nil {
		err = t.Execute(&out, data)
	}
	switch {
	case err != nil:
		c.Error = err.Error()
	case utf8.Valid(out.Bytes()):
		c.Output = out.String()
	default:
		c.Bytes = base64.StdEncoding.EncodeToString(out.Bytes())
	}
	return out.String() + c.Error
}

func main() {
	count := flag.Int("random", 300, "number of random compositions")
	seed := flag.Int64("seed", 20261121, "seed of the random compositions")
	only := flag.String("only", "", "only cases whose id begins with this")
	flag.Parse()

	result := corpus{Go: runtime.Version(), Seed: *seed, Data: map[string]json.RawMessage{}}
	values := map[string]any{}
	for name, text := range dataSets {
		result.Data[name] = json.RawMessage(text)
		values[name] = decode(json.RawMessage(text))
	}
	cases := append(append(written(), verbs()...), random(*count, *seed)...)
	for i := range cases {
		if !strings.HasPrefix(cases[i].ID, *only) {
			continue
		}
		raw := run(&cases[i], values[cases[i].Data])
		if !strings.HasPrefix(cases[i].ID, "verb/") && address.MatchString(raw) {
			continue // Go printed where something is in memory
		}
		result.Cases = append(result.Cases, cases[i])
	}
	write(result)
	fmt.Fprintf(os.Stderr, "%d cases, %s\n", len(result.Cases), result.Go)
}

// write puts one case on a line, so that changes of the corpus can be read.
func write(c corpus) {
	fmt.Printf("{\"go\": %s, \"seed\": %d,\n\"data\": %s,\n\"cases\": [\n", line(c.Go), c.Seed, line(c.Data))
	for i, one := range c.Cases {
		if one.Data == "main" {
			one.Data = ""
		}
		comma := ","
		if i == len(c.Cases)-1 {
			comma = ""
		}
		fmt.Printf("%s%s\n", line(one), comma)
	}
	fmt.Println("]}")
}

func line(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	must(encoder.Encode(v))
	return strings.TrimSpace(b.String())
}
