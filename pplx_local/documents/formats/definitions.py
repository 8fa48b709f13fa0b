"""What definitions look like in each language: a light look at single lines, no parser.

Every repetition is bounded, so that the time stays linear whatever a file holds.
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType

_INDENT = r"(?P<indent>[ \t]{0,60}+)"
_NAME = r"(?P<name>[\w$]{1,100})"
_DOTTED = r"(?P<name>[\w$.:]{1,100})"
_DASHED = r"(?P<name>[\w$*!?<>=/+.:-]{1,100})"
_QUOTED = r"(?P<name>(?:\"[^\"\n]{1,100}\" ?){1,2})"
_GENERIC = r"(?:<[^>\n]{0,100}>)?"
_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|fileprivate|static|abstract"
    r"|final|sealed|open|data|inner|value|companion|override|virtual|async|unsafe|inline"
    r"|const|constexpr|extern|declare|mutable|partial|readonly|synchronized|native"
    r"|suspend|operator|infix|tailrec|mutating|nonisolated|required|convenience|lazy"
    r"|implicit|indirect|explicit|pub(?:\([a-z:]{1,40}\))?"
    r"|@\w{1,40}(?:\([^)\n]{0,80}\))?)[ \t]){0,8}"
)
_TYPE = (
    r"(?:class|struct|enum(?: class| struct)?|interface|trait|union|object|protocol"
    r"|module|record|type|extension|actor|mixin|@interface|impl)"
)
_FUNCTION = r"(?:function\*?|func|fun|fn|def|sub|macro|init|deinit)"
_NO_TYPE = (
    r"(?!(?:return|else|new|throw|delete|case|goto|await|yield|using|typedef|if|for"
    r"|while|switch|catch|do|try|lock|fixed|synchronized|assert|import|package|not|and"
    r"|or|in|is|as|print|echo)\b)"
)
_NO_NAME = r"(?!(?:if|for|while|switch|catch|return|sizeof|function|super|this)\b)"
_TYPED = r"(?:[A-Za-z_][\w.:<>\[\],?&*]{0,80}[ \t]{1,4}){1,4}[*&]{0,3}"
_CLASS = rf"{_MODIFIERS}{_TYPE}{_GENERIC} {_NO_NAME}{_NAME}"
_METHOD = (
    rf"{_MODIFIERS}{_NO_TYPE}(?:<[^>\n]{{0,100}}>[ \t])?{_TYPED}{_NO_NAME}"
    r"(?P<method>[\w~]{1,100})[ \t]?\([^;\n{]{0,300}?(?:$|\{|=>)"
)
"""A type before a name, and no semicolon: a function as C, Java and the like write it."""
_ARROW = r"(?:async )?(?:function\b|\([^()\n]{0,200}\)[^=\n]{0,80}=>|\w{1,60} =>)"

_JAVA = rf"{_INDENT}(?:{_CLASS}|{_METHOD})"
_MACRO = r"(?:[A-Z][A-Z0-9_]{1,60} )?"
_C = (
    rf"{_INDENT}(?:template ?<[^\n]{{0,200}}>\s{{1,40}})?(?:"
    rf"{_MODIFIERS}(?:class|struct|enum(?: class)?|union) {_MACRO}{_NAME}"
    r"[^;{()=\n]{0,200}\n?\{"
    rf"|{_MODIFIERS}{_NO_TYPE}{_TYPED}{_NO_NAME}"
    r"(?P<method>[\w:~<>]{1,100}|operator ?\S{1,3})\([^;\n{]{0,300}?(?:$|\{)"
    rf"|(?<![ \t]){_NO_NAME}(?P<constant>\w{{1,100}}) ?\([^;{{}}]{{0,300}}\)\n\{{)"
)
_SCRIPT = (
    rf"{_INDENT}{_MODIFIERS}(?:(?:function\*?|class|interface|enum|namespace|module"
    rf"|type) {_NAME}"
    rf"|(?:const|let|var) (?P<constant>[\w$]{{1,100}})(?::[^=\n]{{1,120}})? = {_ARROW}"
    r"|(?P<assigned>[\w$.]{1,100})(?: =|:) (?:async )?function\b"
    rf"|(?:(?:get|set) |\*)?{_NO_TYPE}{_NO_NAME}(?P<method>#?[\w$]{{1,100}})"
    r"\([^;\n]{0,200}\)(?:: ?[^;={\n]{1,100})? ?\{$)"
)
_OBJECTIVE_C = (
    rf"(?P<indent>)(?:@(?:interface|implementation|protocol) {_NAME}"
    r"|[-+] ?\([^)\n]{1,80}\) ?(?P<method>\w{1,100}))"
)
_SQL = (
    r"(?P<indent>)(?i:create (?:or replace )?(?:temp(?:orary)? |unique |materialized )?"
    r"(?:table|view|function|procedure|trigger|index|schema|type)"
    r" (?:if not exists )?)[\"`\[]?(?P<name>[\w.]{1,100})"
)
_OWN = MappingProxyType(
    {
        "Python": rf"{_INDENT}(?:@[^\n]{{0,200}}\n[ \t]{{0,60}}){{0,8}}"
        rf"(?:async )?(?:def|class) {_NAME}",
        "Ruby": rf"{_INDENT}(?:def(?: self\.)?|class|module)[ .]?(?P<name>[\w:?!=]+)",
        "Go": r"(?P<indent>)(?:func (?:\([^)\n]{0,100}\) )?|type )" + _NAME,
        "Rust": rf"{_INDENT}{_MODIFIERS}(?:fn|struct|enum|trait|mod|union|macro_rules!"
        rf"|type|impl{_GENERIC}(?: [\w:<>, ]{{1,80}} for)?) {_NAME}",
        "C": _C,
        "C++": _C,
        "Objective-C": _OBJECTIVE_C,
        "Java": _JAVA,
        "C#": _JAVA,
        "Dart": _JAVA,
        "Groovy": _JAVA,
        "JavaScript": _SCRIPT,
        "TypeScript": _SCRIPT,
        "Vue": _SCRIPT,
        "Svelte": _SCRIPT,
        "Kotlin": rf"{_INDENT}{_MODIFIERS}(?:(?:class|interface|object|typealias"
        rf"|enum class|annotation class) {_NAME}"
        rf"|fun (?:<[^>\n]{{1,100}}> )?(?:[\w<>,?]{{1,80}}\.)?(?P<method>\w{{1,100}}|`[^`\n]{{1,100}}`))",
        "Swift": rf"{_INDENT}{_MODIFIERS}(?:(?:class|struct|enum|protocol|extension"
        rf"|actor|func|typealias) (?P<name>[\w.]{{1,100}})|(?P<method>init|deinit)\b)",
        "Scala": rf"{_INDENT}{_MODIFIERS}(?:(?:case )?class|object|trait|def|enum|given) {_NAME}",
        "PHP": rf"{_INDENT}{_MODIFIERS}(?:class|interface|trait|enum|function) &?{_NAME}",
        "Perl": rf"{_INDENT}(?:sub|package) {_DOTTED}",
        "Lua": rf"{_INDENT}(?:(?:local )?function {_DOTTED}"
        r"|(?:local )?(?P<method>[\w.]{1,100}) = function\b)",
        "R": r"(?P<indent>)[`\"]?(?P<name>[\w.<\[$%-]{1,100}?)[`\"]? ?(?:<-|=) ?function\b",
        "Julia": rf"{_INDENT}(?:(?:function|macro|module|(?:mutable )?struct"
        r"|abstract type) (?P<name>[\w.!]{1,100})"
        r"|(?P<method>[\w!]{1,100})\([^)\n]{0,200}\) = )",
        "Haskell": r"(?P<indent>)(?:(?P<name>[a-z_][\w']{0,100}) ::"
        r"|(?:data|newtype|type|class|module) (?P<method>[A-Z][\w.']{0,100}))",
        "OCaml": r"(?P<indent>)(?:let(?: rec)?|and|module(?: type)?|type|val) "
        r"(?P<name>[\w']{1,100})",
        "Elixir": rf"{_INDENT}def(?:module|p|macrop?|protocol|impl|struct)? "
        r"(?P<name>[\w.?!]{1,100})",
        "Erlang": r"(?P<indent>)(?P<name>[a-z]\w{0,100})\([^\n]{0,300}\)[^\n]{0,100}->",
        "Clojure": rf"(?P<indent>)\((?:def[\w-]{{0,20}}|ns) (?:\^\S{{1,60}} )?{_DASHED}",
        "Lisp": rf"(?P<indent>)\((?:cl-)?def[\w-]{{0,20}} [('(]{{0,2}}{_DASHED}",
        "shell": r"(?P<indent>)(?:function (?P<name>[\w.:-]{1,100})"
        r"|(?P<method>[\w.:-]{1,100}) ?\(\))",
        "PowerShell": rf"{_INDENT}(?i:function|filter|class|enum) {_DASHED}",
        "SQL": _SQL,
        "Zig": rf"{_INDENT}{_MODIFIERS}(?:fn {_NAME}|const (?P<method>\w{{1,100}})"
        r" = (?:packed |extern )?(?:struct|enum|union)\b|test \"(?P<constant>[^\"\n]{1,100})\")",
        "Terraform": r"(?P<indent>)(?:resource|module|variable|output|data|provider"
        rf"|locals|terraform) {_QUOTED}",
        "Protocol Buffers": rf"{_INDENT}(?:message|service|enum|rpc|oneof) {_NAME}",
        "GraphQL": r"(?P<indent>)(?:extend )?(?:type|input|interface|enum|union|scalar"
        rf"|query|mutation|subscription|fragment|directive) @?{_NAME}",
        "CMake": rf"(?P<indent>)(?i:function|macro)\({_NAME}",
        "Makefile": r"(?P<indent>)(?P<name>[\w./%-]{1,100}) ?:(?!=)",
        "assembly": r"(?P<indent>)(?P<name>[A-Za-z_]\w{0,100}):",
    }
)
_ANY = rf"{_INDENT}{_MODIFIERS}(?:(?:{_TYPE}|{_FUNCTION}){_GENERIC} {_NAME})"


@cache
def definitions_of(language: str) -> re.Pattern[str]:
    """Give what finds definitions, by lines.

    Its groups are `indent` and one of `name`, `method` and `constant`.
    """
    return re.compile(f"^{_OWN.get(language, _ANY)}", re.MULTILINE)
