"""A slow second opinion on counts and laws, by other means than geoflow's."""
