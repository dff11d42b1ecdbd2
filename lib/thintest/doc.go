// Package thintest holds what the tests of several packages share: a fake
// device-mapper for one pool, and a catalog in a folder of the test. No program
// imports it.
package thintest
