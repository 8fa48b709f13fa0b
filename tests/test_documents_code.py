"""Source code of many languages, and the definitions that are found in it."""

from __future__ import annotations

import time

import pytest

from pplx_local.answer import Place
from pplx_local.documents.formats.source_code import SourceCode
from pplx_local.documents.kinds import kind_of, known_types
from pplx_local.records import Segment
from pplx_local.wording.place import place_in_words


class Bytes:
    """A file that is read at once."""

    def __init__(self, text: str) -> None:
        self._rest = [text.encode()]

    def read(self, n_bytes: int = 0) -> bytes:
        return self._rest.pop() if self._rest else b""


def symbols(name: str, code: str) -> list[Segment]:
    reader = SourceCode(Bytes(code), kind_of(name.encode()))  # type: ignore[arg-type]
    text = "".join(reader.pieces())
    reader.breaks(0, text)
    return reader.about(len(text)).segments


def places(name: str, code: str) -> list[str]:
    """The place that a person is told for the start of each definition."""
    found = symbols(name, code)
    return [
        place_in_words(
            [Place(one.kind, one.label) for one in found if _holds(one, inner)]
        ).removeprefix("symbol ")
        for inner in found
    ]


def _holds(outer: Segment, inner: Segment) -> bool:
    (start, end), (first, last) = outer.char_span, inner.char_span
    return start <= first and last <= end


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        (
            "a.py",
            "import x\n\n@cache\ndef f():\n  pass\n\nclass A:\n  async def g(self): 1\n",
            ["f", "A", "A > g"],
        ),
        (
            "a.rb",
            "module M\n  class A::B\n    def self.go!\n    end\n  end\nend\n",
            ["M", "M > A::B", "M > A::B > go!"],
        ),
        (
            "a.go",
            "package a\n\nfunc (s *S) Run() {\n}\n\ntype T struct {\n}\n",
            ["Run", "T"],
        ),
        (
            "a.rs",
            "use a;\n\npub fn run() {\n}\n\nstruct T;\n\nimpl<X> Drop for Y<X> {\n"
            "    fn drop(&mut self) {}\n}\n",
            ["run", "T", "Y", "Y > drop"],
        ),
        (
            "a.ts",
            "export class A {\n  private async m(x: number): Promise<void> {\n  }\n}\n\n"
            "export async function go() {}\nexport const f = async (x) => {\n}\n"
            "if (x) {\n  call(y) \n}\n",
            ["A", "A > m", "go", "f"],
        ),
        (
            "a.js",
            "Tide.prototype.rise = function (x) {\n};\nexports.fall = () => {}\n",
            ["Tide.prototype.rise"],
        ),
        (
            "a.c",
            "#include <a>\n\nstatic int\tadd(int a)\n{\n  if (a) {\n  }\n}\n\n"
            "struct s {\n};\nstruct later;\nint\nmain (int n,\n      char **v)\n{\n}\n",
            ["add", "s", "main"],
        ),
        (
            "a.cpp",
            "namespace tide {\ntemplate <class T>\nclass API Pump final : public Base {\n"
            " public:\n  int flow() const { return 1; }\n};\n\n"
            "double Pump::stop(int n) {\n  while (n) {\n  }\n}\n}\n",
            ["Pump", "Pump > flow", "Pump::stop"],
        ),
        (
            "a.m",
            "@implementation Pump\n- (void)start:(int)n {\n}\n@end\n",
            ["Pump", "start"],
        ),
        (
            "A.java",
            "package a;\n\n/** Copyright (C) 2011\n */\npublic class A<T> {\n"
            "  @Override public String toString() {\n    return new B(\n  }\n"
            "  A(int x) {\n  }\n}\n",
            ["A", "A > toString"],
        ),
        (
            "a.cs",
            "namespace N\n{\n    public sealed class A\n    {\n"
            "        public int Twice(int x) => 2 * x;\n    }\n}\n",
            ["A", "A > Twice"],
        ),
        (
            "a.kt",
            "data class A(val x: Int) {\n    override fun toString(): String = x\n}\n"
            "suspend fun <T> List<T>.second() = get(1)\nfun `it works`() {}\n",
            ["A", "A > toString", "second", "`it works`"],
        ),
        (
            "a.swift",
            "public final class A: B {\n    init(x: Int) {}\n    func go() -> Int {}\n}\n"
            "extension A.C {}\n",
            ["A", "A > init", "A > go", "A.C"],
        ),
        (
            "a.scala",
            "object Main extends App {\n  def go(x: Int) = 1\n}\ncase class P(x: Int)\n",
            ["Main", "Main > go", "P"],
        ),
        (
            "a.php",
            "<?php\nfinal class A {\n    public static function b() {}\n}\n",
            ["A", "A > b"],
        ),
        ("a.pl", "package My::Tide;\n\nsub rise {\n}\n", ["My::Tide", "rise"]),
        (
            "a.lua",
            "local function f(x) end\nfunction M.a:b() end\nM.c = function() end\n",
            ["f", "M.a:b", "M.c"],
        ),
        ("a.R", "rise <- function(x) {\n}\n`fall` = function() 1\n", ["rise", "fall"]),
        (
            "a.jl",
            "module M\nmutable struct P\nend\nfunction f(x)\nend\ng(x) = 2x\nend\n",
            ["M", "P", "f", "g"],
        ),
        (
            "a.hs",
            "module Tide where\n\nrise :: Int -> Int\nrise 0 = 1\ndata Sea = Sea\n",
            ["Tide", "rise", "Sea"],
        ),
        ("a.ml", "type sea = int\n\nlet rec rise x = x\n", ["sea", "rise"]),
        (
            "a.ex",
            "defmodule Tide.Sea do\n  def rise?(x), do: x\n  defp fall, do: 1\nend\n",
            ["Tide.Sea", "Tide.Sea > rise?", "Tide.Sea > fall"],
        ),
        ("a.erl", "rise(0) -> 1;\nrise(N) -> N.\nfall() -> ok.\n", ["rise", "fall"]),
        ("a.clj", "(ns tide.core)\n(defn rise! [x] x)\n", ["tide.core", "rise!"]),
        ("a.el", "(defun tide-rise (x)\n  x)\n", ["tide-rise"]),
        ("a.scm", "(define (rise x) x)\n", ["rise"]),
        ("a.sh", "set -e\n\nrun() {\n}\nfunction stop-it {\n}\n", ["run", "stop-it"]),
        ("a.ps1", "function Get-Tide {\n}\n", ["Get-Tide"]),
        (
            "a.sql",
            "CREATE TABLE IF NOT EXISTS sea.tides (x int);\ncreate or replace view v as\n",
            ["sea.tides", "v"],
        ),
        (
            "a.dart",
            "class A extends B {\n  Future<int> go(int x) async {\n  }\n}\n",
            ["A", "A > go"],
        ),
        (
            "a.zig",
            "pub fn main() void {\n}\nconst P = struct {\n    fn f() void {}\n};\n",
            ["main", "P", "P > f"],
        ),
        ("a.tf", 'resource "aws_vpc" "main" {\n}\n', ['"aws_vpc" "main"']),
        (
            "a.proto",
            "message Tide {\n}\nservice Sea {\n  rpc Rise(A) returns (B);\n}\n",
            ["Tide", "Sea", "Sea > Rise"],
        ),
        ("a.graphql", "type Tide @x {\n}\nquery Rise {\n}\n", ["Tide", "Rise"]),
        ("a.cmake", "function(rise x)\nendfunction()\n", ["rise"]),
        ("Makefile", "X := 1\nall: a b\n\tcc\n", ["all"]),
        ("a.s", "\tmov a\nmain:\n", ["main"]),
        ("a.css", ".tide { }\n", []),
    ],
)
def test_definitions_are_places(name: str, code: str, told: list[str]) -> None:
    assert places(name, code) == told


@pytest.mark.parametrize(
    ("name", "code", "start"),
    [
        ("a.py", "x = 1\n\n@one\n@two(3)\ndef f():\n    pass\n", "@one\n"),
        ("a.py", "x = 1\n# Rises.\ndef f():\n    pass\n", "# Rises.\n"),
        ("a.java", "int x;\n\n/**\n * Rises.\n */\n@A\npublic class F {\n", "/**\n"),
        ("a.rs", "use a;\n\n/// Rises.\n#[test]\nfn f() {}\n", "/// Rises.\n"),
        ("a.c", "#include <x>\n#endif\nint f(int x)\n{\n}\n", "int f("),
        ("a.lua", "x = 1 -- no\n-- Rises.\nfunction f() end\n", "-- Rises.\n"),
    ],
)
def test_a_definition_starts_at_what_is_said_above_it(
    name: str, code: str, start: str
) -> None:
    (found,) = symbols(name, code)
    assert code[found.char_span.start :].startswith(start)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "hostile",
    [
        "@x\n" * 8_000,
        "static " * 5_000,
        "static\n" * 5_000,
        "a" * 30_000,
        "a b\n" * 6_000,
        "a b c d e f(" * 3_000,
        " " * 30_000,
        "/* x\n" * 5_000 + "def f\n" * 2_000,
        "<" * 30_000,
        "public a<b<c, d>> \t" * 2_000,
        "fn f(x) (\n" * 3_000,
    ],
)
def test_hostile_code_takes_no_longer_than_other_text(hostile: str) -> None:
    """Of every language: well below what a file of this size may take."""
    for extension in {kind.label: name for name, kind in _code()}.values():
        start = time.process_time()
        symbols(f"a.{extension}", hostile)
        assert time.process_time() - start < 0.5, extension


def _code() -> list[tuple[str, object]]:
    return [(name, kind) for name, kind in known_types() if kind.family == "code"]
