package arsdemo

// Handler is the API without its server.
var Handler = handler
