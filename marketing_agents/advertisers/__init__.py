"""Who the advertisers are: the registry file and its rules."""
