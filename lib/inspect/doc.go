// Package inspect holds the use cases of pool check and its repairs: it gathers
// the facts (look.go, look_use.go), has lib/check compare them, and repairs what
// was agreed to (repair.go, repair_metadata.go, repair_head.go, strays.go).
package inspect
