/** The version of this package, as in `package.json`. A constant, because a bundle has no `package.json`. */
export const packageVersion = "0.1.0";
