"""The Ollama Modelfile: FunctionGemma's prompt as a Go template.

Ollama's own renderer for FunctionGemma writes another developer sentence and leaves out enums, so the prompt comes
from TEMPLATE; its parser reads the calls. What the template cannot do, as Go
templates have no such functions: strip whitespace around words, sort keys without regard to case (capitals come
first), and read JSON that is inside a string (a tool's response; see docs/agents.md).
"""

from __future__ import annotations

import json

from fgbuild.functiongemma.render import render_declaration
from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE
from fgbuild.shipping import MODELS
from fgbuild.workers.bases import gemma
from fgbuild.workers.exporting.shipped import Shipped

TEMPLATE = r"""
{{- define "value" -}}
{{- $type := printf "%T" . -}}
{{- if eq $type "string" -}}<escape>{{ . }}<escape>
{{- else if eq $type "map[string]interface {}" -}}{{- template "object" . -}}
{{- else if eq $type "[]interface {}" -}}{{- template "list" . -}}
{{- else -}}{{ json . }}
{{- end -}}
{{- end -}}

{{- define "list" -}}
[{{- range $i, $item := . -}}{{- if $i -}},{{- end -}}{{- template "value" $item -}}{{- end -}}]
{{- end -}}

{{- define "names" -}}
[{{- range $i, $name := . -}}{{- if $i -}},{{- end -}}<escape>{{ $name }}<escape>{{- end -}}]
{{- end -}}

{{- define "object" -}}
{{ "{" }}{{- $comma := "" -}}
{{- range $key, $item := . -}}{{ $comma }}{{ $key }}:{{- template "value" $item -}}{{- $comma = "," -}}{{- end -}}
{{ "}" }}
{{- end -}}

{{- define "type" -}}
type:<escape>
{{- if eq . "string" -}}STRING
{{- else if eq . "integer" -}}INTEGER
{{- else if eq . "number" -}}NUMBER
{{- else if eq . "boolean" -}}BOOLEAN
{{- else if eq . "array" -}}ARRAY
{{- else if eq . "object" -}}OBJECT
{{- else -}}{{ . }}
{{- end -}}<escape>
{{- end -}}

{{- define "schema" -}}
{{ "{" }}
{{- if .description -}}description:<escape>{{ .description }}<escape>,{{- end -}}
{{- if and .enum (eq .type "string") -}}enum:{{- template "list" .enum -}},{{- end -}}
{{- if eq .type "array" -}}items:{{- template "schema" .items -}},{{- end -}}
{{- if eq .type "object" -}}properties:{{ "{" }}{{- $comma := "" -}}
{{- range $name, $schema := .properties -}}{{ $comma }}{{ $name }}:{{- template "schema" $schema -}}{{- $comma = "," -}}
{{- end -}}{{ "}" }},
{{- if .required -}}required:{{- template "names" .required -}},{{- end -}}
{{- end -}}
{{- template "type" .type -}}{{ "}" }}
{{- end -}}

{{- define "properties" -}}
properties:{{ "{" }}{{- $comma := "" -}}
{{- range $name, $schema := . -}}{{ $comma }}{{ $name }}:{{- template "property" $schema -}}{{- $comma = "," -}}
{{- end -}}{{ "}" }},
{{- end -}}

{{- define "property" -}}
{{- $type := printf "%v" .Type -}}
{{ "{" }}
{{- if .Description -}}description:<escape>{{ .Description }}<escape>,{{- end -}}
{{- if and .Enum (eq $type "string") -}}enum:{{- template "list" .Enum -}},{{- end -}}
{{- if eq $type "array" -}}items:{{- template "schema" .Items -}},{{- end -}}
{{- if eq $type "object" -}}{{- template "properties" .Properties.ToMap -}}
{{- if .Required -}}required:{{- template "names" .Required -}},{{- end -}}
{{- end -}}
{{- template "type" $type -}}{{ "}" }}
{{- end -}}

{{- define "declaration" -}}
<start_function_declaration>declaration:{{ .Name }}{{ "{" }}description:<escape>{{ .Description }}<escape>,
{{- "parameters:{" -}}
{{- if .Parameters.Properties -}}{{- template "properties" .Parameters.Properties -}}{{- end -}}
{{- if .Parameters.Required -}}required:{{- template "names" .Parameters.Required -}},{{- end -}}
{{- template "type" "object" -}}{{ "}}" }}<end_function_declaration>
{{- end -}}

{{- define "response" -}}
{{- $fields := false -}}
{{- if ge (len .) 2 -}}{{- if eq (slice . 0 1) "{" -}}
{{- $next := slice . 1 2 -}}{{- $fields = not (or (eq $next "\"") (eq $next " ") (eq $next "\n")) -}}
{{- end -}}{{- end -}}
{{- if $fields -}}{{ . }}{{- else -}}{{ "{" }}value:<escape>{{ . }}<escape>{{ "}" }}{{- end -}}
{{- end -}}

{{- $words := "" -}}
{{- range $i, $message := .Messages -}}
{{- if and (eq $i 0) (or (eq .Role "system") (eq .Role "developer")) -}}{{- $words = .Content -}}{{- end -}}
{{- end -}}
{{ "<start_of_turn>developer\n" }}{{- $words -}}
{{- if ne $words SENTENCE -}}{{- if $words -}}{{ "\n" }}{{- end -}}{{ SENTENCE }}{{- end -}}
{{- if .Tools -}}{{- range .Tools -}}{{- template "declaration" .Function -}}{{- end -}}
{{- else -}}{{ DECLARATIONS }}
{{- end -}}
{{ "<end_of_turn>\n" }}

{{- $last := "" -}}
{{- $calls := "" -}}
{{- $answered := "" -}}
{{- range .Messages -}}
{{- if eq .Role "user" -}}
{{ "<start_of_turn>user\n" }}{{- .Content -}}{{ "<end_of_turn>\n" }}{{- $last = "words" -}}
{{- else if eq .Role "assistant" -}}
{{- if ne $last "tool" -}}{{ "<start_of_turn>model\n" }}{{- end -}}
{{- .Content -}}
{{- range .ToolCalls -}}
<start_function_call>call:{{ .Function.Name }}{{- template "object" .Function.Arguments -}}<end_function_call>
{{- end -}}
{{- if .ToolCalls -}}<start_function_response>{{- $last = "calls" -}}
{{- else -}}{{ "<end_of_turn>\n" }}{{- $last = "words" -}}
{{- end -}}
{{- $calls = .ToolCalls -}}{{- $answered = "" -}}
{{- else if eq .Role "tool" -}}
{{- if ne $last "calls" -}}<start_function_response>{{- end -}}
{{- $name := .ToolName -}}
{{- if not $name -}}{{- if lt (len $answered) (len $calls) -}}
{{- $name = (index $calls (len $answered)).Function.Name -}}
{{- end -}}{{- end -}}
response:{{ $name }}{{- template "response" .Content -}}<end_function_response>
{{- $last = "tool" -}}{{- $answered = printf "%s." $answered -}}
{{- end -}}
{{- end -}}
{{- if not (or (eq $last "tool") (eq $last "calls")) -}}{{ "<start_of_turn>model\n" }}{{- end -}}
"""
"""SENTENCE and DECLARATIONS stand for Go strings: the developer sentence, and the domain's own tools, which are
declared where a request brings none."""


def modelfile(shipped: Shipped) -> str:
    """For `ollama create NAME -f Modelfile`, run beside it."""
    return f'''\
# {shipped.domain}: {shipped.summary or "a FunctionGemma agent"}
# ollama create {shipped.domain} -f Modelfile
FROM ./{MODELS}/{shipped.file}

# The prompt of training. A request without tools declares the domain's own.
TEMPLATE """{template(shipped)}"""

# Reads the calls in an answer; it takes an Ollama that knows FunctionGemma.
PARSER functiongemma

# Greedy, as the model was evaluated: Ollama's penalty on repetition would change which token is likeliest.
PARAMETER temperature 0
PARAMETER repeat_penalty 1
PARAMETER stop "<end_of_turn>"
PARAMETER stop "<start_function_response>"

LICENSE "Gemma is provided under and subject to the Gemma Terms of Use found at {gemma.LICENCE_LINK}"
'''


def template(shipped: Shipped) -> str:
    """The Go template of a domain."""
    declarations = "".join(map(render_declaration, shipped.tools))
    made = TEMPLATE.strip().replace("SENTENCE", go_string(DEVELOPER_SENTENCE))
    return made.replace("DECLARATIONS", go_string(declarations))


def go_string(text: str) -> str:
    """A Go string literal. It holds no three quotes in a row, which would end a Modelfile's TEMPLATE.

    JSON's escapes are Go's too, where nothing but quotes, backslashes and control characters is escaped.
    """
    return json.dumps(text, ensure_ascii=False)
