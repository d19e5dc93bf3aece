package config

import (
	"fmt"
	"slices"
	"strings"
)

const (
	methods  = "POST PUT PATCH" // requests that have a body
	bodiless = "GET HEAD DELETE OPTIONS TRACE CONNECT"
)

// checkMethod refuses methods of requests without a body: a token is made over the
// body alone, so that one token would be good for all of them.
func checkMethod(s string) string {
	switch {
	case slices.Contains(strings.Fields(methods), s):
		return ""
	case slices.Contains(strings.Fields(bodiless), s):
		return s + " requests have no body, and without one every request has the same token: it is one of " + methods
	}
	return fmt.Sprintf("unknown method %q: it is one of %s", s, methods)
}

// routes reads every [[route]]. A file without any leaves the default ones.
func (r *report) routes(tree map[string]any, unset []Route) []Route {
	v, found := tree["route"]
	if !found {
		return unset
	}
	tables, ok := v.([]any)
	if !ok {
		r.add("route", "wants a list of tables, not "+typeOf(v), "write [[route]] above each route")
		return nil
	}
	if len(tables) == 0 {
		r.add("route", "has no route: no request could pass", "")
	}
	all := make([]Route, len(tables))
	for i, v := range tables {
		all[i] = r.route(routeKey(i), v)
		r.repeated(all[:i], all[i])
	}
	return all
}

func routeKey(i int) string { return fmt.Sprintf("route[%d]", i) }

func (r *report) route(key string, v any) Route {
	route := defaultRoute("", "")
	table, ok := v.(map[string]any)
	if !ok {
		r.add(key, "wants a table, not "+typeOf(v), "write [[route]] above each route")
		return route
	}
	all := routeSettings(&route)
	r.take(key+".", table, all)
	r.unknown(key+".", table, keysOf(all))
	for _, needed := range []string{"method", "path"} {
		if _, found := table[needed]; !found {
			r.add(key+"."+needed, "is missing", "")
		}
	}
	return route
}

// repeated reports a route that is there already.
func (r *report) repeated(before []Route, route Route) {
	if route.Method == "" || route.Path == "" {
		return // reported as missing or wrong
	}
	same := func(o Route) bool { return o.Method == route.Method && o.Path == route.Path }
	if i := slices.IndexFunc(before, same); i >= 0 {
		r.add(routeKey(len(before))+".path",
			fmt.Sprintf("%s %s has a route in line %d already", route.Method, route.Path, r.origin.line(routeKey(i))), "")
	}
}
