"""The catalog of network blocks: one .geo file a block, shipped with geoflow as `geoflow.blocks`."""
