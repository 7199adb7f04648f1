// A catalogue's address, as the build gives it.
declare module '*.ftl?catalogue' {
  const url: string;
  export default url;
}
