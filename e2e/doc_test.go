// Package e2e_test is what a proxy must survive, shown by the built program with
// real clients, a real upstream and whatever stands between them.
package e2e_test
