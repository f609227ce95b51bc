"""What ``setup_device.sh`` needs beyond the shell: the lock file, wheels, the systemd unit."""
