package main

// The data of the cases, in the encoding that README.md describes.
var dataSets = map[string]string{
	"nil":    `null`,
	"string": `"héllo wörld"`,
	"int":    `{"$":"int","v":"7"}`,
	"list":   `{"$":"[]string","v":["a","b","c"]}`,
	"pool":   poolData,
	"ptr":    `{"$":"*Pool","v":{"Name":"ptr","Size":"3","Tags":{"x":"y"},"Next":{"Name":"next","Size":"4"}}}`,
	"main": `{"$":"map[string]any","v":{
  "s":"abc", "empty":"", "uni":"héllo, 世界 ☺", "quote":"a\"b'c` + "`" + `d\\e\tf\ng", "html":"<a href=\"x\">&'</a>",
  "bad":{"$":"bytes","v":"YWL/Y+Q="}, "nul":"a\u0000b", "ctrl":"\u0001\u007f\u00ad\u2028", "spaced":"  x y  ", "percent":"100%d",
  "t":true, "f":false, "nil":null,
  "i":{"$":"int","v":"42"}, "neg":{"$":"int","v":"-7"}, "zero":{"$":"int","v":"0"}, "three":{"$":"int","v":"3"},
  "i8":{"$":"int8","v":"-128"}, "i16":{"$":"int16","v":"300"}, "i32":{"$":"int32","v":"65"}, "i64":{"$":"int64","v":"9223372036854775807"},
  "min64":{"$":"int64","v":"-9223372036854775808"},
  "u":{"$":"uint","v":"42"}, "u8":{"$":"uint8","v":"255"}, "u32":{"$":"uint32","v":"128512"}, "u64":{"$":"uint64","v":"18446744073709551615"},
  "pi":{"$":"float64","v":"3.141592653589793"}, "half":{"$":"float64","v":"0.5"}, "big":{"$":"float64","v":"1e21"}, "mil":{"$":"float64","v":"1000000"},
  "tiny":{"$":"float64","v":"1e-7"}, "fzero":{"$":"float64","v":"0"}, "fneg":{"$":"float64","v":"-2.25"}, "f32":{"$":"float32","v":"0.1"},
  "inf":{"$":"float64","v":"+Inf"}, "ninf":{"$":"float64","v":"-Inf"}, "nan":{"$":"float64","v":"NaN"},
  "max":{"$":"float64","v":"1.7976931348623157e308"}, "den":{"$":"float64","v":"5e-324"},
  "ms":{"$":"map[string]string","v":{"b":"2","a":"1","c":"","é":"e","B":"cap"}},
  "ma":{"$":"map[string]any","v":{"x":{"$":"int","v":"1"},"y":"two","z":null,"deep":{"$":"map[string]any","v":{"k":"v"}}}},
  "mi":{"$":"map[string]int","v":{"one":"1","two":"2"}}, "mb":{"$":"map[string]bool","v":{"yes":true,"no":false}},
  "mint":{"$":"map[int]string","v":{"10":"ten","9":"nine","-1":"minus"}}, "me":{"$":"map[string]string","v":{}}, "mn":{"$":"map[string]string","v":null},
  "mf":{"$":"map[float64]string","v":{"1.5":"x","-2":"y"}}, "mbool":{"$":"map[bool]string","v":{"true":"T","false":"F"}},
  "ls":{"$":"[]string","v":["x","y","z"]}, "la":{"$":"[]any","v":["a",{"$":"int","v":"1"},null,true,{"$":"[]string","v":["in"]}]},
  "li":{"$":"[]int","v":["3","1","2"]}, "le":{"$":"[]string","v":[]}, "ln":{"$":"[]string","v":null}, "lf":{"$":"[]float64","v":["1.5","2"]},
  "ll":{"$":"[][]int","v":[["1","2"],["3"]]}, "lm":{"$":"[]map[string]string","v":[{"n":"p"},{"n":"q"}]}, "bytes":{"$":"[]uint8","v":["104","105"]},
  "color":{"$":"Color","v":"3"}, "word":{"$":"Word","v":"wd"}, "words":{"$":"[]Word","v":["p","q"]}, "colors":{"$":"[]Color","v":["1","2"]},
  "pool":` + poolData + `, "pp":{"$":"*Pool","v":{"Name":"p","Size":"1","Next":{"Name":"q","Size":"2"}}}, "np":{"$":"*Pool","v":null},
  "pools":{"$":"[]*Pool","v":[{"Name":"m","Size":"3"},{"Name":"w","Size":"9","Tags":{"k":"v"}}]},
  "add":{"$":"func","v":"add"}, "cat":{"$":"func","v":"cat"}, "fail":{"$":"func","v":"fail"}
 }}`,
}

const poolData = `{"$":"Pool","v":{"Name":"web","Size":"5","Tags":{"a":"1","b":"2"},"Any":{"$":"int","v":"9"}}}`
