// Prints src/bytes/printable-runs.ts: Go's own idea of which code points strconv.Quote leaves as they are.
//
//	go run scripts/go/printable.go > src/bytes/printable-runs.ts
//
// With "digest" it prints the SHA-256 that src/bytes/go-quote.test.ts expects: of every code point, quoted and
// then as JSON, a line each.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "digest" {
		fmt.Printf("%x\n", digest())
		return
	}
	printRuns()
}

func digest() []byte {
	hash := sha256.New()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		quoted := strconv.Quote(string(r))
		line, err := json.Marshal(quoted[1 : len(quoted)-1])
		if err != nil {
			panic(err)
		}
		hash.Write(append(line, '\n'))
	}
	return hash.Sum(nil)
}

func printRuns() {
	var runs []string
	printable, start := false, rune(0)
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		if r <= unicode.MaxRune && strconv.IsPrint(r) == printable {
			continue
		}
		runs = append(runs, strconv.FormatInt(int64(r-start), 36))
		printable, start = !printable, r
	}
	fmt.Printf("// Made by scripts/go/printable.go with %s (Unicode %s).\n", runtime.Version(), unicode.Version)
	fmt.Printf("\n/** Lengths, in base 36, of runs of code points that are in turn not printable and printable, from U+0000. */\n")
	fmt.Printf("export const printableRuns =\n")
	text := strings.Join(runs, " ")
	for len(text) > 110 {
		cut := strings.LastIndex(text[:110], " ") + 1
		fmt.Printf("  '%s' +\n", text[:cut])
		text = text[cut:]
	}
	fmt.Printf("  '%s';\n", text)
}
