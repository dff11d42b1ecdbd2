package catalog

import (
	"bytes"

	"thinmount/lib/spec"
)

// quickVolume decodes a record in exactly the form in which encodeVolume writes
// one: a list of very many volumes would take several times longer with
// encoding/json. If the record has any other form, because a person or another
// version has written it, ok is false and encoding/json is to decode it.
func quickVolume(b []byte, p Pool) (v Volume, ok bool) {
	q := quick{rest: b, ok: true}
	q.skip("{\n")
	v.Format = int(q.number("format", 9))
	v.Name = q.text("name", "")
	v.Pool = q.text("pool", p.Name)
	v.PoolUUID = q.text("pool_uuid", p.UUID)
	v.ID = spec.ID(q.number("id", 9))
	v.Size = int64(q.number("size", 18))
	if q.has("origin") {
		v.Origin = q.text("origin", "")
	}
	if q.has("origin_id") {
		v.OriginID = spec.ID(q.number("origin_id", 9))
	}
	if q.has("fs") {
		v.FS = q.text("fs", "ext4")
	}
	if err := v.Created.UnmarshalText(q.quoted("created")); err != nil {
		q.ok = false
	}
	q.last = true
	v.TransactionID = q.number("transaction_id", 18)
	q.skip("}\n")
	return v, q.ok && len(q.rest) == 0
}

// quick reads fields, each on a line of its own.
type quick struct {
	rest []byte
	ok   bool
	last bool // no comma follows
}

func (q *quick) skip(text string) {
	if q.ok = q.ok && bytes.HasPrefix(q.rest, []byte(text)); q.ok {
		q.rest = q.rest[len(text):]
	}
}

// has reports whether the next field has that key.
func (q *quick) has(key string) bool {
	at := len(`  "`)
	return len(q.rest) > at+len(key) && string(q.rest[at:at+len(key)]) == key &&
		q.rest[at+len(key)] == '"'
}

// value reads a field's line, and returns what follows the key.
func (q *quick) value(key string) []byte {
	q.skip(`  "`)
	q.skip(key)
	q.skip(`": `)
	end := bytes.IndexByte(q.rest, '\n')
	if q.ok = q.ok && end > 0; !q.ok {
		return nil
	}
	value := q.rest[:end]
	q.rest = q.rest[end+1:]
	if !q.last {
		value, q.ok = bytes.CutSuffix(value, []byte(","))
	}
	return value
}

// number reads a number of so many digits at most.
func (q *quick) number(key string, digits int) (n uint64) {
	value := q.value(key)
	q.ok = q.ok && len(value) > 0 && len(value) <= digits && (value[0] != '0' || len(value) == 1)
	for _, c := range value {
		q.ok = q.ok && c >= '0' && c <= '9'
		n = 10*n + uint64(c-'0')
	}
	return n
}

// quoted reads a string of printable ASCII without escapes.
func (q *quick) quoted(key string) []byte {
	value := q.value(key)
	if q.ok = q.ok && len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"'; !q.ok {
		return nil
	}
	value = value[1 : len(value)-1]
	for _, c := range value {
		q.ok = q.ok && c >= ' ' && c <= '~' && c != '"' && c != '\\'
	}
	return value
}

// text reads a string. If it is the usual one, no copy is made.
func (q *quick) text(key, usual string) string {
	value := q.quoted(key)
	if string(value) == usual {
		return usual
	}
	return string(value)
}
