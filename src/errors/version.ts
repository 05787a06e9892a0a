/** The version of ovl: that of package.json, as a constant, because reading a file would slow every start. */
export const ovlVersion = '0.1.0'
