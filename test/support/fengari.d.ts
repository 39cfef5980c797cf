/** What the tests use of fengari, which ships no types. */
declare module 'fengari' {
  type State = unknown;
  interface Fengari {
    readonly lua: { lua_tostring(state: State, index: number): Uint8Array };
    readonly lauxlib: { luaL_newstate(): State; luaL_dostring(state: State, program: Uint8Array): boolean };
    readonly lualib: { luaL_openlibs(state: State): void };
    readonly to_luastring: (text: string) => Uint8Array;
    readonly to_jsstring: (text: Uint8Array) => string;
  }
  const fengari: Fengari;
  export default fengari;
}
