"""Scripts that build the data files of ``agent.biasing``; not used while the agent runs."""
