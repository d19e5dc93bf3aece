package listen

// ExpiresSoon is how long before its end a certificate is trouble.
const ExpiresSoon = expiresSoon
