package interop_test

import (
	"fmt"
	"strings"
)

// call is one request that a client is to make.
type call struct {
	Name       string `json:"name"`
	Path       string `json:"path"`
	Alg        string `json:"alg"`
	Enc        string `json:"enc"`
	TimeDigits int    `json:"timeDigits"` // of the token
	Padded     bool   `json:"padded"`     // the token's base64
	Body       []byte `json:"body"`       // before it is encrypted

	padBytes    int // of the route at Path
	tokenLength int
}

// minCalls is how many calls every client makes at the least.
const minCalls = 192

// routes are the same API with and without padding, by path.
var routes = []struct {
	path     string
	padBytes int
}{
	{"/api/v1/bankaccounts/ars/auth", 256},
	{"/api/v1/bankaccounts/ars/register", 0},
}

var algs = []string{"RSA-OAEP-256", "RSA-OAEP"}

var encs = []string{"A256GCM", "A128GCM"}

// tokens are the forms of X-KM-Tran-Token. Clients send 67 characters; the
// documents say 66, which two forms have.
var tokens = []struct {
	length, timeDigits int
	padded             bool
}{
	{67, 17, true},
	{66, 17, false},
	{66, 16, true},
	{65, 16, false},
}

// bodies are JSON texts that parsing and encoding them again would change.
var bodies = []struct{ name, text string }{
	{"white space", " \r\n\t{ \"bankCode\" :\t\"088\" ,\r\n\r\n  \"accountNo\":\"110123456789\"\n }\t\r\n "},
	{"escapes", `{"name":"\uD55C\uae00\/\u003c\u0026\u2028","lone":"\ud800","nul":"\u0000","slash":"a\/b","amp":"<&>"}`},
	{"numbers", `{"userId":9999999999999999999,"amount":1.10,"rate":1E+2,"zero":-0,"small":0.1e-7}`},
	{"Korean", "{\"예금주\":\"홍길동\",\"은행\":\"국민은행\",\"자모\":\"\u1112\u1161\u11ab\",\"memo\":\"계좌 인증 🔐\"}"},
	{"members", `{"b":1,"a":2,"b":3,"":null,"encData2":"x","nested":{"z":[],"y":{}}}`},
	{"100 KiB", `{"userId":1,"memo":"` + strings.Repeat("가나다 <abc>\\n ", 5700) + `"}`},
}

// calls is every body in every suite with every form of token on every route.
func calls() []call {
	var all []call
	for _, route := range routes {
		for _, alg := range algs {
			for _, enc := range encs {
				for _, token := range tokens {
					for _, body := range bodies {
						all = append(all, call{
							Name: fmt.Sprintf("%s, %s, token of %d characters with %d digits, padded to %d, %s",
								alg, enc, token.length, token.timeDigits, route.padBytes, body.name),
							Path: route.path, padBytes: route.padBytes, Alg: alg, Enc: enc,
							TimeDigits: token.timeDigits, Padded: token.padded, tokenLength: token.length,
							Body: []byte(body.text),
						})
					}
				}
			}
		}
	}
	return all
}
