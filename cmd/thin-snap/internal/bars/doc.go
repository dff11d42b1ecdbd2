// Package bars draws the bars that show how far long work is.
package bars
