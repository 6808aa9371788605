/** The name that a browser's types have for the body of a Response; Node's have it in undici only. */
type BodyInit = import('undici-types').BodyInit
