/// The version of the command and of the library it is built with.
let crestVersion = "0.1.0-dev"
