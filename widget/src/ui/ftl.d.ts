// The address of a parsed catalogue, as the build gives it.
declare module '*.ftl?catalogue' {
  const url: string;
  export default url;
}
