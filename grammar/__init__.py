"""The grammar of the language, `geo.lark`, shipped with geoflow as `geoflow.grammar`."""
