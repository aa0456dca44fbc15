package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Pool is the struct of the cases: fields of several kinds, methods with and without arguments and errors.
type Pool struct {
	Name string
	Size int64
	Tags map[string]string
	Any  any
	Next *Pool
}

func (p Pool) Upper() string                { return strings.ToUpper(p.Name) }
func (p Pool) Plus(n int64) int64           { return p.Size + n }
func (p Pool) Has(s ...string) bool         { return len(s) > 0 && p.Tags[s[0]] != "" }
func (p Pool) Fail(why string) (int, error) { return 0, errors.New(why) }

// Color prints itself.
type Color int

func (c Color) String() string { return fmt.Sprintf("color-%d", int(c)) }

// Word is a string with a name.
type Word string

var functions = map[string]any{
	"add":  func(a, b int) int { return a + b },
	"cat":  func(parts ...string) string { return strings.Join(parts, "+") },
	"fail": func() (string, error) { return "", errors.New("it failed") },
	"half": func(f float64) float64 { return f / 2 },
	"i64":  func(n int64) int64 { return n },
	"show": func(v any) string { return fmt.Sprintf("%T", v) },
}

func functionMap() map[string]any {
	m := map[string]any{}
	for name, fn := range functions {
		m[name] = fn
	}
	return m
}

var named = map[string]reflect.Type{
	"any": reflect.TypeOf((*any)(nil)).Elem(), "bool": reflect.TypeOf(false), "string": reflect.TypeOf(""),
	"int": reflect.TypeOf(int(0)), "int8": reflect.TypeOf(int8(0)), "int16": reflect.TypeOf(int16(0)),
	"int32": reflect.TypeOf(int32(0)), "int64": reflect.TypeOf(int64(0)),
	"uint": reflect.TypeOf(uint(0)), "uint8": reflect.TypeOf(uint8(0)), "uint16": reflect.TypeOf(uint16(0)),
	"uint32": reflect.TypeOf(uint32(0)), "uint64": reflect.TypeOf(uint64(0)),
	"float32": reflect.TypeOf(float32(0)), "float64": reflect.TypeOf(float64(0)),
	"Pool": reflect.TypeOf(Pool{}), "Color": reflect.TypeOf(Color(0)), "Word": reflect.TypeOf(Word("")),
}

func typeOf(name string) reflect.Type {
	if t, ok := named[name]; ok {
		return t
	}
	switch {
	case strings.HasPrefix(name, "[]"):
		return reflect.SliceOf(typeOf(name[2:]))
	case strings.HasPrefix(name, "*"):
		return reflect.PointerTo(typeOf(name[1:]))
	case strings.HasPrefix(name, "map["):
		end := strings.Index(name, "]")
		return reflect.MapOf(typeOf(name[4:end]), typeOf(name[end+1:]))
	}
	panic("unknown type " + name)
}

type encoded struct {
	Type  string          `json:"$"`
	Value json.RawMessage `json:"v"`
}

// decode reads a value that says its type itself.
func decode(raw json.RawMessage) any {
	text := strings.TrimSpace(string(raw))
	if strings.HasPrefix(text, "{") {
		var e encoded
		must(json.Unmarshal(raw, &e))
		switch e.Type {
		case "func":
			var name string
			must(json.Unmarshal(e.Value, &name))
			return functions[name]
		case "bytes":
			var text string
			must(json.Unmarshal(e.Value, &text))
			b, err := base64.StdEncoding.DecodeString(text)
			must(err)
			return string(b)
		}
		return build(typeOf(e.Type), e.Value).Interface()
	}
	var v any
	must(json.Unmarshal(raw, &v))
	return v // string, bool or nil
}

// build reads a value of a known type. null is the zero value.
func build(t reflect.Type, raw json.RawMessage) reflect.Value {
	v := reflect.New(t).Elem()
	if strings.TrimSpace(string(raw)) == "null" {
		return v
	}
	switch t.Kind() {
	case reflect.Interface:
		if x := decode(raw); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	case reflect.Slice:
		var items []json.RawMessage
		must(json.Unmarshal(raw, &items))
		v.Set(reflect.MakeSlice(t, 0, len(items)))
		for _, item := range items {
			v.Set(reflect.Append(v, build(t.Elem(), item)))
		}
	case reflect.Map:
		var members map[string]json.RawMessage
		must(json.Unmarshal(raw, &members))
		v.Set(reflect.MakeMap(t))
		for key, member := range members {
			quoted, _ := json.Marshal(key)
			v.SetMapIndex(build(t.Key(), quoted), build(t.Elem(), member))
		}
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(build(t.Elem(), raw))
	case reflect.Struct:
		var members map[string]json.RawMessage
		must(json.Unmarshal(raw, &members))
		for i := 0; i < t.NumField(); i++ {
			if member, ok := members[t.Field(i).Name]; ok {
				v.Field(i).Set(build(t.Field(i).Type, member))
			}
		}
	case reflect.Bool:
		v.SetBool(strings.Trim(string(raw), `"`) == "true") // keys of maps are quoted
	case reflect.String:
		var s string
		must(json.Unmarshal(raw, &s))
		v.SetString(s)
	default:
		number(v, strings.Trim(string(raw), `"`))
	}
	return v
}

func number(v reflect.Value, text string) {
	switch {
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, 64)
		must(err)
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, 64)
		must(err)
		v.SetUint(n)
	default:
		f, err := strconv.ParseFloat(text, 64)
		must(err)
		v.SetFloat(f)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
