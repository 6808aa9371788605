/** The name that a browser's types have for the body of a Response; Node's have none that is global. */
type BodyInit = ConstructorParameters<typeof Response>[0]
