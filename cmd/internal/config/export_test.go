package config

// Parse is Load for the content of a file.
var Parse = parse
