// Bare does nothing: what it takes to start a static Go program.
package main

func main() {}
