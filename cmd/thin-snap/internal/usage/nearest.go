package usage

import (
	"slices"
	"strings"

	"github.com/xrash/smetrics"
)

// most is how many words Nearest returns: more would be no help.
const most = 3

// Nearest returns the words that a user may have meant by word, which is none
// of them: those that have it as a part (data_used for used), or else those
// that differ from it in a letter or two. It returns none if word is too short
// to tell.
func Nearest(word string, words []string) (near []string) {
	word = strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	if len(word) < 2 {
		return nil
	}
	for _, w := range words {
		same := strings.ToLower(strings.ReplaceAll(w, "-", "_"))
		if same == word || slices.Contains(strings.Split(same, "_"), word) {
			near = append(near, w)
		}
	}
	if len(near) > 0 {
		return near[:min(most, len(near))]
	}
	best := 1 // how many letters may differ
	if len(word) > 5 {
		best = 2
	}
	for _, w := range words {
		n := smetrics.WagnerFischer(word, strings.ReplaceAll(w, "-", "_"), 1, 1, 1)
		if n == 2 && letters(w) == letters(word) {
			n = 1 // two letters have changed places
		}
		switch {
		case n >= len(w) || n > best:
		case n < best:
			best, near = n, []string{w}
		default:
			near = append(near, w)
		}
	}
	return near[:min(most, len(near))]
}

// letters returns the bytes of a word in order.
func letters(word string) string {
	b := []byte(word)
	slices.Sort(b)
	return string(b)
}

// DidYouMean returns a hint that names the words nearest to word, each behind
// prefix, and then says rest. Without such words it is rest alone.
func DidYouMean(word string, words []string, prefix, rest string) string {
	near := Nearest(word, words)
	if len(near) == 0 {
		return rest
	}
	for i, w := range near {
		near[i] = prefix + w
	}
	hint := "did you mean " + strings.Join(near, " or ")
	if rest == "" {
		return hint
	}
	return hint + "; " + rest
}
